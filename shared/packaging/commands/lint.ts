import type { Outcome } from '../../system/exit-code.ts';
import { Failure } from '../../system/failure.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import { print } from '../../system/terminal/print.ts';
import { lintBundle } from '../lint/lint.ts';
import { formatFinding, hasErrors } from '../lint/lint-finding.ts';
import { architectureIn } from './hooks.ts';

export async function lint(values: Values): Promise<Outcome> {
  const path = values.text('path') ?? '';
  const given = (name: string, option: string) => {
    const value = values.text(option);
    return value === undefined ? {} : { [name]: value };
  };
  const findings = await lintBundle(path, {
    architecture: architectureIn(values),
    ...given('raucMin', 'rauc-min'),
    ...given('kernelMin', 'kernel-min'),
    ...given('glibcMax', 'glibc-max'),
    ...given('slotType', 'slot-type'),
    ...given('certificatePath', 'cert'),
  });
  print(1, findings.map((finding) => `${formatFinding(finding)}\n`).join(''));
  const errors = findings.filter(({ level }) => level === 'error').length;
  if (hasErrors(findings)) {
    throw new Failure(
      `Cannot pass "${path}": ${errors} ${errors === 1 ? 'fault' : 'faults'} that a device would fail at`,
    );
  }
  print(
    1,
    findings.length === 0
      ? `No faults in "${path}"\n`
      : `No fault in "${path}" that a device would fail at\n`,
  );
  return 'done';
}
