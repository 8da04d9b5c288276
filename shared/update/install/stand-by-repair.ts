import { Failure, reasonOf } from '../../system/failure.ts';
import { pathInRoot } from '../../system/files/rooted-path.ts';
import type { Places } from '../../system/places.ts';
import { command } from '../../system/process/command.ts';
import { updateProgram } from '../slot/slot-content.ts';

/**
 * A dead man's switch for the data: if this program dies in the middle of a migration, starting the orchestrator is not
 * enough. A systemd service outside RAUC's control group waits for our lock, which the kernel frees when we die, and then
 * repairs what is left. Where there is nothing to repair, it ends; an update that waits for its reboot is left alone.
 */

const askMs = 60_000;
const startMs = 30_000;

/** Starts the running slot's program: the one in the bundle is visible only in RAUC's mount namespace. Throws a Failure. */
export async function standByRepair(places: Places, signal: AbortSignal): Promise<void> {
  const program = await findRepair(places, signal);
  const { data, root, run } = places;
  const variables = [`HOMIE_DATA=${data}`, `HOMIE_ROOT=${root}`, `HOMIE_RUN=${run}`];
  const options = [
    '--quiet',
    '--collect',
    `--unit=homie-repair-${process.pid}`,
    // If the repair is killed, systemd runs it again. If it fails, it is not repeated: the next boot restores.
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
