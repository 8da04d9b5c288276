import { completionScript, shells } from '../shared/system/terminal/completion.ts';
import { print } from '../shared/system/terminal/print.ts';
import { fleetCommands, fleetStory } from './fleet-commands.ts';
import { type Hook, hookFiles, hookOptions } from './hook.ts';

const json = { json: { type: 'boolean', describe: 'Answer in JSON on stdout' } } as const;
const data = { data: hookOptions.data };
const dryRun = { 'dry-run': hookOptions['dry-run'] };
const yes = {
  yes: { type: 'boolean', describe: 'Do not ask; without a terminal it has to be given' },
} as const;
const parts = {
  'config-only': { type: 'boolean', describe: 'The config folder, and nothing else' },
  'database-only': { type: 'boolean', describe: 'The database and redis, and nothing else' },
} as const;

/** update.sh, the operator's command; it is run by hand, by a timer or as a service. */
export const update: Hook = {
  spec: {
    name: 'update.sh',
    summary: 'install an update, see how it stands, go back; back up, restore, repair',
    commands: [
      {
        name: 'install',
        isDefault: true,
        summary: 'Fetch a bundle, verify it, and let RAUC install it into the other slot',
        positionals: [
          {
            name: 'source',
            describe: 'A URL, a bundle file, a folder with one (a USB stick), - for stdin; else update.url',
            optional: true,
          },
        ],
        options: {
          ...data,
          force: { type: 'boolean', describe: 'Also what was installed last, or was rolled back here' },
          now: { type: 'boolean', describe: 'Also outside the update windows' },
          reboot: {
            type: 'string',
            describe: 'When to reboot into it: now, no, in the next window, in so many minutes',
            value: 'now|window|no|+N',
          },
          'limit-rate': { type: 'number', describe: 'Fetch no faster than this', value: 'KIB_A_SECOND' },
          ...dryRun,
        },
        examples: [
          ['$0 install', 'What update.url has, if it is new; the exit code 4 says: now reboot'],
          ['$0 install /media/stick --reboot no', 'The one bundle on that stick; a person will reboot'],
          ['$0 install --dry-run', 'Say what would be done, and fetch nothing'],
        ],
      },
      {
        name: 'check',
        summary: 'Is there something newer? Nothing is fetched, and the answer is no failure',
        positionals: [{ name: 'url', describe: 'Where the bundle lies; else update.url', optional: true }],
        options: { ...data, ...json },
        examples: [['$0 check --json', 'For a program: `available` says whether there is something newer']],
      },
      {
        name: 'status',
        summary: 'Which slots there are, what they hold, how the last update stands',
        options: { ...data, ...json },
        examples: [
          ['$0 status', 'How it stands'],
          ['$0 status --json', 'The same for a program'],
        ],
      },
      {
        name: 'why',
        summary: 'One screen: what runs, what failed and why, what happens next',
        options: { ...data, ...json },
        examples: [['$0 why', 'The first thing to look at when something is odd']],
      },
      {
        name: 'doctor',
        summary: 'What would go wrong on this board before it does; 1 where something is bad',
        options: { ...data, ...json, ...dryRun },
        examples: [['$0 doctor', 'Before the first update of a board, and after changing anything by hand']],
      },
      {
        name: 'log',
        summary: 'The end of what the programs have said; --json gives one object a line',
        options: {
          ...data,
          ...json,
          lines: { type: 'number', describe: 'How many, 50 if not said', value: 'N' },
          follow: { type: 'boolean', describe: 'Go on with all that comes, until Ctrl-C' },
        },
        examples: [
          ['$0 log --lines 200', 'The last 200 lines'],
          ['$0 log --follow', 'All that comes, until Ctrl-C'],
        ],
      },
      {
        name: 'history',
        summary: 'Every update this device has seen, with its verdict',
        options: { ...data, ...json },
        examples: [['$0 history', 'One line an update']],
      },
      {
        name: 'rollback',
        summary: 'Go back to the version in the other slot at the next boot',
        options: { ...data, ...yes, ...dryRun },
        examples: [
          ['$0 rollback --dry-run', 'What going back would do'],
          ['$0 rollback --yes', 'Go back, from a script'],
        ],
      },
      {
        name: 'cancel',
        summary: 'Take back a fetch, an installed update before its reboot, and a scheduled reboot',
        options: { ...data, ...yes, ...dryRun },
        examples: [['$0 cancel', 'Take back what was not yet booted']],
      },
      {
        name: 'mark-good',
        summary: 'Give the slot that runs its boot attempts back',
        options: { ...data, ...dryRun },
        examples: [['$0 mark-good', 'After a boot by hand, with post-activate not run']],
      },
      {
        name: 'backup',
        summary: 'Save config, database and redis as an update does; prints the files',
        options: { ...data, ...parts, ...dryRun },
        examples: [
          ['$0 backup', 'All of it, before trying anything'],
          ['$0 backup --config-only', 'The config folder alone'],
        ],
      },
      {
        name: 'restore',
        summary: 'Put back what a backup holds, keeping the config that it replaces',
        positionals: [
          {
            name: 'archive',
            describe: 'A backup (.tar.zst, .dump, .rdb), by path or name; the newest where none is named',
            optional: true,
          },
        ],
        options: {
          ...data,
          list: { type: 'boolean', describe: 'Show what there is, newest first, and whether it is whole' },
          ...json,
          ...parts,
          ...yes,
          ...dryRun,
        },
        examples: [
          ['$0 restore --list', 'Which backups there are, and whether each is whole'],
          ['$0 restore --config-only', 'The newest config'],
          ['$0 restore NAME.dump --yes', 'That database, from a script'],
        ],
      },
      {
        name: 'repair',
        summary: 'Find what an interrupted life has left behind, and mend it',
        options: {
          ...data,
          wait: { type: 'boolean', describe: 'Wait until no install runs, for at most a day' },
          ...json,
          ...yes,
          ...dryRun,
        },
        examples: [
          ['$0 repair --dry-run', 'What is wrong, and what would be done'],
          ['$0 repair --yes', 'Mend it, from a script'],
        ],
      },
      {
        name: 'serve',
        summary: 'Answer the API and the status page on this device, until told to end',
        options: { ...data },
        examples: [['$0 serve', 'What homie-update-api.service runs']],
      },
      ...fleetCommands,
      {
        name: 'completion',
        summary: 'Print what a shell needs to complete this command: source <($0 completion bash)',
        positionals: [{ name: 'shell', describe: 'Which one', choices: shells }],
        examples: [['source <($0 completion bash)', 'In ~/.bashrc']],
      },
    ],
    files: hookFiles,
    notes:
      'Outside of the update windows install fetches, and ends with 13 before it installs, by hand as by\n' +
      'the timer. --now installs all the same; the reboot still waits for the window unless --reboot says\n' +
      'otherwise. --force is about versions only: the inhibit file and the windows hold. doctor ends with\n' +
      '1 where something is bad.',
    examples: [
      ['$0', 'Install what update.url has, if it is new; the exit code 4 says: now reboot'],
      ['$0 https://updates.example/latest.raucb', 'The same from there'],
      ['$0 /media/stick', 'The one bundle on that stick'],
      ['$0 status', 'How it stands'],
      ['$0 rollback --dry-run', 'What going back would do'],
      ['$0 restore --list', 'Which backups there are'],
      ['$0 repair --dry-run', 'What is wrong, and what would be done'],
    ],
  },
  deadlineMs: 60_000,

  async story(command, values, running) {
    switch (command) {
      case 'install':
        return await (await import('../shared/update/commands/install.ts')).install(values, running);
      case 'completion': {
        const shell = shells.find((name) => name === values.text('shell')) ?? 'bash';
        print(1, completionScript(shell, 'update.sh'));
        return 'done';
      }
      case 'check':
        return await (await import('../shared/update/commands/check.ts')).check(values, running);
      case 'backup':
        return await (await import('../shared/update/commands/backup.ts')).backUpByHand(values, running);
      case 'restore':
        return await (await import('../shared/update/commands/restore.ts')).restoreByHand(values, running);
      case 'repair':
        return await (await import('../shared/update/commands/repair.ts')).repair(values, running);
      case 'rollback':
        return await (await import('../shared/update/commands/rollback.ts')).rollBackByHand(values, running);
      case 'serve':
        return await (await import('../shared/api/serve.ts')).serve(values, running);
      case 'agent':
      case 'consent':
      case 'report':
        return await fleetStory(command, values, running);
      case 'why':
        return await (await import('../shared/update/commands/why.ts')).tellWhy(values, running);
      case 'doctor':
        return await (await import('../shared/update/commands/doctor.ts')).tellDoctor(values, running);
      case 'log':
        return await (await import('../shared/update/commands/log.ts')).tellLog(values, running);
      case 'cancel':
        return await (await import('../shared/update/commands/cancel.ts')).cancel(values, running);
      case 'mark-good':
        return await (await import('../shared/update/commands/mark-good.ts')).markGoodByHand(values, running);
      case 'history':
        return (await import('../shared/update/commands/history.ts')).tellHistory(values);
      default:
        return await (await import('../shared/update/commands/status.ts')).tellStatus(values, running);
    }
  },
};
