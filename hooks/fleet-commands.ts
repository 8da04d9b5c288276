import type { Outcome } from '../shared/system/exit-code.ts';
import type { Running } from '../shared/system/process/program.ts';
import type { Values } from '../shared/system/terminal/arguments.ts';
import type { CommandSpec } from '../shared/system/terminal/program-spec.ts';
import { hookOptions } from './hook.ts';

const data = { data: hookOptions.data };

/** The commands of update.sh for a device in a fleet. */
export const fleetCommands: readonly CommandSpec[] = [
  {
    name: 'agent',
    summary: "Carry out what the fleet's server (hawkBit) asks for, until it is stopped",
    options: { ...data, once: { type: 'boolean', describe: 'Ask once, do what is next, and end' } },
    examples: [['$0 agent', 'What homie-update-agent.service runs']],
  },
  {
    name: 'consent',
    summary: "Say yes or no to an update that the fleet's server only attempts, or wants confirmed",
    positionals: [{ name: 'answer', describe: 'The answer', choices: ['yes', 'no'] }],
    options: { ...data },
    examples: [['$0 consent yes', 'Allow its download and install']],
  },
  {
    name: 'report',
    summary: "Report the last verdict to the fleet's server, on a device that uses another client",
    options: { ...data },
    examples: [['$0 report', 'Once, after a boot']],
  },
];

export async function fleetStory(
  command: 'agent' | 'consent' | 'report',
  values: Values,
  running: Running,
): Promise<Outcome> {
  switch (command) {
    case 'agent':
      return await (await import('../shared/fleet/run-agent.ts')).runAgent(values, running);
    case 'consent':
      return (await import('../shared/fleet/consent.ts')).giveConsent(values, running);
    case 'report':
      return await (await import('../shared/fleet/report.ts')).report(values, running);
  }
}
