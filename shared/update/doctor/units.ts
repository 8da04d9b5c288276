import { command } from '../../system/process/command.ts';
import { bad, type Check, type Judgement, ok, warn, worst } from './check-result.ts';

/** Checks the units that systemd has to start by itself. */

export interface UnitFacts {
  /** systemd's state of each unit (`enabled`, `disabled`, `masked` …); undefined for an unknown unit or without an answer. */
  postActivate: string | undefined;
  orchestrator: string | undefined;
  timer: string | undefined;
  orchestratorName: string;
}

const askMs = 15_000;

export const units: Check = {
  name: 'units',
  async run({ config, signal }) {
    const ask = async (unit: string): Promise<string | undefined> => {
      const run = command({ deadlineMs: askMs, accept: 'any', signal });
      const answer = await run`systemctl is-enabled ${unit}`.catch(() => {
        signal.throwIfAborted();
        return undefined;
      });
      return answer?.stdout.trim() || undefined;
    };
    const { unit } = config.update;
    return judgeUnits({
      postActivate: await ask('homie-post-activate.service'),
      orchestrator: await ask(unit),
      timer: await ask('homie-update.timer'),
      orchestratorName: unit,
    });
  },
};

export function judgeUnits({ postActivate, orchestrator, timer, orchestratorName }: UnitFacts): Judgement {
  const state = (word: string | undefined): string => word ?? 'not known to systemd';
  return worst(
    [
      isOn(postActivate)
        ? undefined
        : bad(
            `homie-post-activate.service is ${state(postActivate)}: no slot is ever marked good, no update ever committed`,
            'Run "systemctl enable homie-post-activate.service"',
          ),
      isOn(orchestrator)
        ? undefined
        : warn(
            `${orchestratorName} is ${state(orchestrator)}: it does not start at boot`,
            `Run "systemctl enable ${orchestratorName}"`,
          ),
    ],
    ok(
      `homie-post-activate.service and ${orchestratorName} are enabled; homie-update.timer is ${isOn(timer) ? 'too' : 'not'}`,
    ),
  );
}

function isOn(word: string | undefined): boolean {
  return (
    word !== undefined && /^(enabled|enabled-runtime|static|alias|linked|indirect|generated)$/.test(word)
  );
}
