import { Failure, reasonOf } from '../../system/failure.ts';
import { pathInRoot } from '../../system/files/rooted-path.ts';
import type { Places } from '../../system/places.ts';
import { command } from '../../system/process/command.ts';
import { updateProgram } from '../slot/slot-content.ts';

/**
 * A dead man's switch for the data: where we die in the middle of a migration, starting the orchestrator is not enough.
 * A service of its own, out of RAUC's control group, waits for our lock, which the kernel frees when we die, and then
 * mends what is left. Where nothing is, it ends; an update that waits for its reboot is left alone.
 */

const askMs = 60_000;
const startMs = 30_000;

/** The running slot's own program: what lies in the bundle only RAUC's mount namespace sees. Throws a Failure. */
export async function standByRepair(places: Places, signal: AbortSignal): Promise<void> {
  const program = await findRepair(places, signal);
  const { data, root, run } = places;
  const variables = [`HOMIE_DATA=${data}`, `HOMIE_ROOT=${root}`, `HOMIE_RUN=${run}`];
  const options = [
    '--quiet',
    '--collect',
    `--unit=homie-repair-${process.pid}`,
    // Killed itself, it is run again. A failure stays one: the next boot restores.
    '--property=Restart=on-abnormal',
    '--property=RestartSec=10',
    ...variables.map((variable) => `--setenv=${variable}`),
  ];
  try {
    await command({ deadlineMs: startMs, signal })`systemd-run ${options} -- ${program} repair --yes --wait`;
  } catch (error) {
    throw cannotStandBy(reasonOf(error), error);
  }
}

async function findRepair(places: Places, signal: AbortSignal): Promise<string> {
  const program = pathInRoot(places.root, updateProgram);
  let help: string;
  try {
    help = (await command({ deadlineMs: askMs, signal })`${program} repair --help`).stdout;
  } catch (error) {
    signal.throwIfAborted();
    throw cannotStandBy(reasonOf(error), error);
  }
  if (/--wait\b/.test(help)) return program;
  throw cannotStandBy(`"${program}" of the running version cannot wait for it`);
}

function cannotStandBy(reason: string, cause?: unknown): Failure {
  return new Failure(
    `Cannot migrate before the reboot: nothing would repair the data after a crash: ${reason}`,
    {
      advice: 'Set update.migrate_in: trial in orchestrator.yaml',
      cause,
    },
  );
}
