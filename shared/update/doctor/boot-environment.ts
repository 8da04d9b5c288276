import { randomUUID } from 'node:crypto';
import { reasonOf } from '../../system/failure.ts';
import { command } from '../../system/process/command.ts';
import { bad, type Check, type Judgement, ok, warn, worst } from './check-result.ts';
import { readTextIn } from './text-file.ts';

/** Checks U-Boot's environment: RAUC marks slots in it, so it must be readable and writable, and survive a power cut. */

export interface BootEnvironmentFacts {
  /** Why the environment cannot be read. */
  readProblem: string | undefined;
  variables: Readonly<Record<string, string>>;
  /** The text of fw_env.config; undefined when there is none. */
  config: string | undefined;
  /** True when a variable of ours reads back as it was written; a text says why not; undefined when it was not tried. */
  canary: true | string | undefined;
}

/** A variable that no bootloader uses. */
const canaryName = 'homie_canary';
const toolMs = 30_000;

export const bootEnvironment: Check = {
  name: 'boot environment',
  async run({ places, signal }, { mayWrite }) {
    const config = readTextIn(places.root, '/etc/fw_env.config');
    try {
      const { stdout } = await command({ deadlineMs: toolMs, signal })`fw_printenv`;
      const variables = parseVariables(stdout);
      const canary = mayWrite ? await tryCanary() : undefined;
      return judgeBootEnvironment({ readProblem: undefined, variables, config, canary });
    } catch (error) {
      signal.throwIfAborted();
      return judgeBootEnvironment({ readProblem: reasonOf(error), variables: {}, config, canary: undefined });
    }
  },
};

export function judgeBootEnvironment(facts: BootEnvironmentFacts): Judgement {
  const { readProblem, variables, config, canary } = facts;
  if (readProblem !== undefined)
    return bad(
      `fw_printenv cannot read it: ${readProblem}`,
      'Install libubootenv-tool, and give /etc/fw_env.config the place where U-Boot keeps it',
    );
  const isWritten = canary === true ? ', writable' : '';
  const copies = config === undefined ? undefined : copiesIn(config);
  return worst(
    [
      typeof canary === 'string'
        ? bad(
            `a variable that was written is read back wrong: ${canary}`,
            'RAUC cannot mark a slot: see fw_setenv',
          )
        : undefined,
      judgeOrder(variables),
      copies === undefined
        ? warn('there is no /etc/fw_env.config, it is unknown whether it has two copies', 'Write one')
        : undefined,
      copies === 1
        ? warn(
            'it has a single copy: a power cut while it is written loses it',
            'Give it a second copy, if U-Boot is built for two',
          )
        : undefined,
      canary === undefined
        ? warn(
            'readable; whether it can be written was not tried',
            'Run it as root, without --dry-run, while no update runs',
          )
        : undefined,
    ],
    ok(`readable${isWritten}, in two copies, BOOT_ORDER is "${variables['BOOT_ORDER'] ?? ''}"`),
  );
}

function judgeOrder(variables: Readonly<Record<string, string>>): Judgement | undefined {
  const order = variables['BOOT_ORDER'];
  if (order === undefined || order.trim() === '')
    return bad(
      'BOOT_ORDER is not set: the bootloader and RAUC do not know the slots',
      'Run "rauc status mark-active booted"',
    );
  if (order.trim().split(/\s+/).length < 2)
    return warn(
      `BOOT_ORDER is "${order}": there is no fallback`,
      'Run update.sh repair; else the next install brings it back',
    );
  const spent = order
    .split(/\s+/)
    .find((name) => Number.parseInt(variables[`BOOT_${name}_LEFT`] ?? '3', 16) === 0);
  return spent === undefined
    ? undefined
    : warn(
        `slot "${spent}" has no boot attempt left`,
        'Run update.sh why: something kept it from being marked good',
      );
}

/** Counts the lines that name a device, without comments and blank lines. */
function copiesIn(config: string): number {
  return config.split('\n').filter((line) => /^\s*[^#\s]/.test(line)).length;
}

/** Writes the canary, reads it back and removes it. Takes no signal, so that an abort leaves nothing behind. */
async function tryCanary(): Promise<true | string> {
  const value = randomUUID();
  const run = command({ deadlineMs: toolMs });
  try {
    await run`fw_setenv ${canaryName} ${value}`;
    try {
      const { stdout } = await run`fw_printenv -n ${canaryName}`;
      return stdout.trim() === value ? true : `it is "${stdout.trim()}"`;
    } finally {
      await run`fw_setenv ${canaryName}`;
    }
  } catch (error) {
    return reasonOf(error);
  }
}

function parseVariables(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const at = line.indexOf('=');
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)]] : [];
    }),
  );
}
