import { type Hook, hookOptions } from './hook.ts';

const json = { json: { type: 'boolean', describe: 'Answer in JSON on stdout' } } as const;
const data = { data: hookOptions.data };

/** update.sh, the operator's command: by hand, by a timer, as a service. */
export const update: Hook = {
  spec: {
    name: 'update.sh',
    summary: 'install an update, see how it stands, go back',
    commands: [
      {
        name: 'install',
        summary: 'Verify a bundle and let RAUC install it into the other slot',
        positionals: [{ name: 'file', describe: 'The bundle (.raucb)' }],
        options: { ...data, 'dry-run': hookOptions['dry-run'] },
      },
      {
        name: 'status',
        summary: 'Which slots there are, what they hold, how the last update stands',
        options: { ...data, ...json },
      },
      {
        name: 'history',
        summary: 'Every update this device has seen, with its verdict',
        options: { ...data, ...json },
      },
      {
        name: 'rollback',
        summary: 'Go back to the version in the other slot at the next boot',
        options: { ...data, 'dry-run': hookOptions['dry-run'] },
      },
    ],
    examples: [
      ['$0 install homie-orchestrator-v1.1.0.raucb', 'Install; the exit code 4 says: now reboot'],
      ['$0 status', 'How it stands'],
      ['$0 rollback --dry-run', 'What going back would do'],
    ],
  },
  deadlineMs: 60_000,

  async story(command, values, running) {
    switch (command) {
      case 'install':
        return await (await import('../shared/update/commands/install.ts')).install(values, running);
      case 'rollback':
        return await (await import('../shared/update/commands/rollback.ts')).rollBackByHand(values, running);
      case 'history':
        return (await import('../shared/update/commands/history.ts')).tellHistory(values);
      default:
        return await (await import('../shared/update/commands/status.ts')).tellStatus(values, running);
    }
  },
};
