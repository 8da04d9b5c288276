import { completionScript, shells } from '../shared/system/terminal/completion.ts';
import { print } from '../shared/system/terminal/print.ts';
import { fleetCommands, fleetStory } from './fleet-commands.ts';
import { type Hook, hookFiles, hookOptions } from './hook.ts';

const json = { json: { type: 'boolean', describe: 'Answer in JSON on stdout' } } as const;
const data = { data: hookOptions.data };
const dryRun = { 'dry-run': hookOptions['dry-run'] };
const yes = {
  yes: { type: 'boolean', describe: 'Do not ask; required without a terminal' },
} as const;
const parts = {
  'config-only': { type: 'boolean', describe: 'The config folder, and nothing else' },
  'database-only': { type: 'boolean', describe: 'The database and redis, and nothing else' },
} as const;

/** update.sh, the operator's command; it is run by hand, by a timer or as a service. */
export const update: Hook = {
  spec: {
    name: 'update.sh',
    summary: 'install an update, see its status, roll back; back up, restore, repair',
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
          force: {
            type: 'boolean',
            describe: 'Also a bundle that was installed last, or was rolled back here',
          },
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
        summary: 'Is there a newer version? Downloads nothing; "no" is not a failure',
        positionals: [{ name: 'url', describe: 'Where the bundle lies; else update.url', optional: true }],
        options: { ...data, ...json },
        examples: [['$0 check --json', 'For a program: `available` says whether there is a newer version']],
      },
      {
        name: 'status',
        summary: 'The slots, the versions in them, and the state of the last update',
        options: { ...data, ...json },
        examples: [
          ['$0 status', 'The slots and the last update'],
          ['$0 status --json', 'The same for a program'],
        ],
      },
      {
        name: 'why',
        summary: 'One screen: what runs, what failed and why, what happens next',
        options: { ...data, ...json },
        examples: [['$0 why', 'The first command when something is wrong']],
      },
      {
        name: 'doctor',
        summary: 'Find problems of this board before an update does; ends with 1 if something is bad',
        options: { ...data, ...json, ...dryRun },
        examples: [['$0 doctor', 'Before the first update of a board, and after changing anything by hand']],
      },
      {
        name: 'log',
        summary: 'The last log lines of the programs; --json gives one object a line',
        options: {
          ...data,
          ...json,
          lines: { type: 'number', describe: 'How many; 50 by default', value: 'N' },
          follow: { type: 'boolean', describe: 'Show new lines until Ctrl-C' },
        },
        examples: [
          ['$0 log --lines 200', 'The last 200 lines'],
          ['$0 log --follow', 'New lines, until Ctrl-C'],
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
        summary: 'Cancel a download, an installed update before its reboot, and a scheduled reboot',
        options: { ...data, ...yes, ...dryRun },
        examples: [['$0 cancel', 'Keep the version that runs']],
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
        summary: 'Restore a backup; the config that it replaces is kept',
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
        summary: 'Find what an interrupted update has left behind, and repair it',
        options: {
          ...data,
          wait: { type: 'boolean', describe: 'Wait until no install runs, for at most a day' },
          ...json,
          ...yes,
          ...dryRun,
        },
        examples: [
          ['$0 repair --dry-run', 'What is wrong, and what would be done'],
          ['$0 repair --yes', 'Repair it, from a script'],
        ],
      },
      {
        name: 'serve',
        summary: 'Answer the API and the status page on this device, until it is stopped',
        options: { ...data },
        examples: [['$0 serve', 'What homie-update-api.service runs']],
      },
      ...fleetCommands,
      {
        name: 'completion',
        summary: 'Print the completion script for a shell: source <($0 completion bash)',
        positionals: [{ name: 'shell', describe: 'Which one', choices: shells }],
        examples: [['source <($0 completion bash)', 'In ~/.bashrc']],
      },
    ],
    files: hookFiles,
    notes:
      'Outside of the update windows install fetches, and ends with 13 before it installs, by hand as by\n' +
      'the timer. --now installs anyway; the reboot still waits for the window unless --reboot says\n' +
      'otherwise. --force is about versions only: the inhibit file and the windows hold. doctor ends with\n' +
      '1 where something is bad.',
    examples: [
      ['$0', 'Install what update.url has, if it is new; the exit code 4 says: now reboot'],
      ['$0 https://updates.example/latest.raucb', 'The same from there'],
      ['$0 /media/stick', 'The one bundle on that stick'],
      ['$0 status', 'The slots and the last update'],
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
