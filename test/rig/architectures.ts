import type { Architecture } from '../../shared/packaging/project.ts';
import { thisArchitecture } from '../support/build/this-architecture.ts';
import type { Suite } from '../support/report/suite-report.ts';
import { tier } from '../support/tier.ts';

/** Every scenario, by this machine's programs only: where other versions of RAUC are tried. */
const isNative = process.env['HOMIE_RIG'] === 'native';
const all = tier !== 'quick' || isNative;

/** What programs are compiled for: this machine, and the board, as they ship. The latter runs as a Cortex-A57. */
export const everyArchitecture: readonly Architecture[] = isNative
  ? [thisArchitecture]
  : [...new Set([thisArchitecture, 'arm64'] as const)];

/** An emulator takes many times as long, and proves the same but for a few scenarios that stand for all of them. */
export const architectures = all ? everyArchitecture : [thisArchitecture];
const asShipped: readonly Architecture[] = all ? everyArchitecture : ['arm64'];

type Scenario = Suite['scenario'];

/**
 * What declares scenarios on programs of this architecture, whose name they bear. Those that are `typical` run as they ship
 * in every tier; `later` ones do not run in `npm test`: another scenario there stands for them.
 */
export function scenariosFor(
  architecture: Architecture,
  suite: Suite,
): { scenario: Scenario; typical: Scenario; later: Scenario } {
  const named: Scenario = (name, work, timeoutMs) =>
    suite.scenario(`${name} (${architecture})`, work, timeoutMs);
  const on = (some: readonly Architecture[]): Scenario => (some.includes(architecture) ? named : () => {});
  return {
    scenario: on(architectures),
    typical: on(asShipped),
    later: on(all ? everyArchitecture : []),
  };
}
