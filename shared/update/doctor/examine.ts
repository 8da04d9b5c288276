import { reasonOf } from '../../system/failure.ts';
import type { Device } from '../transaction/device.ts';
import { anomalies } from './anomalies.ts';
import { bootEnvironment } from './boot-environment.ts';
import { bootScript } from './boot-script.ts';
import { bad, type Check, type CheckResult, type Examination } from './check-result.ts';
import { clock } from './clock.ts';
import { commandLine } from './command-line.ts';
import { config } from './config.ts';
import { data } from './data.ts';
import { docker } from './docker.ts';
import { fleet } from './fleet.ts';
import { kernel } from './kernel.ts';
import { keyring } from './keyring.ts';
import { raucService } from './rauc-service.ts';
import { schedule } from './schedule.ts';
import { slots } from './slots.ts';
import { systemConf } from './system-conf.ts';
import { units } from './units.ts';

/** In the order of a boot, from the bootloader to the history. */
const checks: readonly Check[] = [
  bootScript,
  bootEnvironment,
  commandLine,
  kernel,
  clock,
  data,
  config,
  systemConf,
  keyring,
  raucService,
  slots,
  units,
  docker,
  schedule,
  fleet,
  anomalies,
];

/** Runs all checks one after the other; a check that throws becomes a bad finding. */
export async function examine(device: Device, examination: Examination): Promise<CheckResult[]> {
  const findings: CheckResult[] = [];
  for (const { name, run } of checks) {
    const judgement = await run(device, examination).catch((error: unknown) => {
      device.signal.throwIfAborted();
      return bad(reasonOf(error), 'Correct that, then run update.sh doctor again');
    });
    findings.push({ check: name, ...judgement });
  }
  return findings;
}
