import { readBundleFacts } from '../shared/rauc/bundle-facts.ts';
import { readHookEnvironment } from '../shared/rauc/hook-environment.ts';
import { exitCodeOf } from '../shared/system/exit-code.ts';
import { faultPoint } from '../shared/system/fault-point.ts';
import { gatherAdmissionFacts } from '../shared/update/admission/admission-facts.ts';
import { requireAdmitted } from '../shared/update/admission/admission-refusal.ts';
import { decideAdmission } from '../shared/update/admission/decide-admission.ts';
import { tellExpiredInhibit } from '../shared/update/admission/inhibit.ts';
import { noteAdmission } from '../shared/update/transaction/admission-note.ts';
import { openDevice, withConfigToInstall } from '../shared/update/transaction/device.ts';
import { type Hook, hookFiles, hookOptions } from './hook.ts';

/** Decides whether this bundle may be installed. Every refusal happens here, where nothing has been changed yet. */
export const installCheck: Hook = {
  spec: {
    name: 'install-check',
    summary: 'may this bundle be installed here? Refuses with a reason, and touches no slot',
    commands: [
      {
        summary: 'Check compatible, architecture, version, slots, space, and whether an update may run now',
        options: { data: hookOptions.data, bundle: hookOptions.bundle, 'dry-run': hookOptions['dry-run'] },
      },
    ],
    examples: [['$0 --bundle /mnt', 'Check a bundle mounted at /mnt']],
    files: hookFiles,
    notes:
      'RAUC calls it before it touches a slot, and shows the last line on stderr as the reason where the\n' +
      'exit code is 10 or more. Called by RAUC it therefore answers 21 in place of 1, 2 and 9; and what\n' +
      'it lets pass it notes on the data partition: if power fails before pre-install does, the next boot\n' +
      'puts the slot back that RAUC has taken out of the boot order.',
  },
  deadlineMs: 120_000,
  exitCodeOf: (outcome) => {
    const code = exitCodeOf(outcome);
    const isLostByRauc = code > 0 && code < 10 && process.env['RAUC_SYSTEM_COMPATIBLE'] !== undefined;
    return isLostByRauc ? exitCodeOf('tryLater') : code;
  },

  async story(_command, values, running) {
    const bare = openDevice(values, running);
    const { places, log } = bare;
    const place = readHookEnvironment({ bundle: values.text('bundle') });
    const bundle = readBundleFacts(place.bundle);
    const device = withConfigToInstall(bare);

    await faultPoint('install-check:read');
    tellExpiredInhibit(places, new Date(), log);
    requireAdmitted(
      `version "${bundle.version}"`,
      decideAdmission(gatherAdmissionFacts(bundle, place.systemCompatible, device)),
    );
    // RAUC takes the slot out of the boot order next.
    if (place.isCalledByRauc && !values.flag('dry-run')) noteAdmission(places, bundle.version);
    log.info(`Version "${bundle.version}" may be installed`);
    return 'done';
  },
};
