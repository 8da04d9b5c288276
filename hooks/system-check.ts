import { readBundleFacts } from '../shared/rauc/bundle-facts.ts';
import { isRaucsHandler, readHookEnvironment } from '../shared/rauc/hook-environment.ts';
import { Failure } from '../shared/system/failure.ts';
import { faultPoint } from '../shared/system/fault-point.ts';
import { print } from '../shared/system/terminal/print.ts';
import { gatherFitFacts } from '../shared/update/admission/admission-facts.ts';
import { requireAdmitted } from '../shared/update/admission/admission-refusal.ts';
import { decideCompatibility } from '../shared/update/admission/decide-compatibility.ts';
import { forgetAdmission } from '../shared/update/transaction/admission-note.ts';
import { openDevice, withConfigToInstall } from '../shared/update/transaction/device.ts';
import { type Hook, hookFiles, hookOptions } from './hook.ts';

/** The running system's own check: install-check comes from the bundle, and an old one does not know the minimum version. */
export const systemCheck: Hook = {
  spec: {
    name: 'system-check',
    summary: 'check that a bundle is for this device; the bundle cannot change this check',
    commands: [
      {
        summary:
          'Check compatible, and that the version is no older than the minimum version, the running or a committed one',
        options: { data: hookOptions.data, bundle: hookOptions.bundle, 'dry-run': hookOptions['dry-run'] },
      },
    ],
    examples: [['$0 --bundle /mnt', 'Check a bundle mounted at /mnt']],
    files: hookFiles,
    notes:
      'RAUC calls it as the handler pre-install of system.conf, before anything of the bundle runs or a slot is touched.',
  },
  deadlineMs: 120_000,

  async story(_command, values, running) {
    try {
      const device = openDevice(values, running);
      const place = readHookEnvironment({ bundle: values.text('bundle') });
      const bundle = readBundleFacts(place.bundle);
      await faultPoint('system-check:read');
      requireAdmitted(
        `version "${bundle.version}"`,
        decideCompatibility(gatherFitFacts(bundle, place.systemCompatible, withConfigToInstall(device))),
      );
      // The install-check of this bundle may not be ours: a note about an earlier bundle says nothing about this one.
      if (isRaucsHandler()) forgetAdmission(device.places);
      device.log.info(`Version "${bundle.version}" is for this device`);
      return 'done';
    } catch (error) {
      if (error instanceof Failure) tellRauc(error);
      throw error;
    }
  },
};

/** RAUC shows the line of a handler's stdout that begins with `<< error` (RAUC manual, "Handler Interface"). */
function tellRauc(failure: Failure): void {
  if (!isRaucsHandler()) return;
  const text = failure.advice === undefined ? failure.message : `${failure.message}. ${failure.advice}`;
  try {
    print(1, `<< error ${text}\n`);
  } catch {
    // The refusal stays the reason, which the end of the program also writes to stderr.
  }
}
