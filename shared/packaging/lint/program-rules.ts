import type { KeyFileEntry } from '../../rauc/key-file.ts';
import { isOlder } from '../format/dotted-version.ts';
import type { Elf } from '../format/elf.ts';
import type { Bundle } from './bundle.ts';
import { resolveEntry } from './bundle-entry.ts';
import { error, type LintFinding, warning } from './lint-finding.ts';
import type { LintTarget } from './lint-target.ts';
import type { Program } from './program.ts';

const loaders = { arm64: '/lib/ld-linux-aarch64.so.1', x64: '/lib64/ld-linux-x86-64.so.2' } as const;
const oneProgram =
  'RAUC calls one program with the hook\'s name as its argument: give that file, as in "update-hooks/hook"';
const anyExecute = 0o111;

/** Judges whether the devices can start the program. `rauc bundle` checks none of this, and installs fail too late. */
export function judgeProgram(
  bundle: Bundle,
  target: LintTarget,
  filename: KeyFileEntry,
  role: 'hook' | 'handler',
): LintFinding[] {
  const path = filename.value;
  const named = { file: bundle.manifestFile, line: filename.line };
  const resolved = path === '' ? ({ kind: 'missing' } as const) : resolveEntry(bundle.entries, path);
  if (resolved.kind === 'missing')
    return [
      error(
        'program-missing',
        named,
        `the ${role} "${path}" is not in the bundle`,
        'Add it, or correct the name',
      ),
    ];
  if (resolved.kind === 'outside') {
    const what = `the ${role} "${path}" is outside of the bundle, where a device has another file or none`;
    return [error('program-outside-bundle', named, what, 'Put the file itself into the bundle')];
  }
  const { entry } = resolved;
  if (entry.kind === 'folder') {
    const what = `the ${role} "${path}" is a folder: RAUC packs it, then runs nothing or fails with the slot lost`;
    return [error('program-not-a-file', named, what, oneProgram)];
  }
  if (entry.kind !== 'file')
    return [error('program-not-a-file', named, `the ${role} "${path}" is not a regular file`, oneProgram)];
  const place = { file: entry.path };
  const program = bundle.programs.get(entry.path);
  return [
    ...((entry.mode & anyExecute) === 0
      ? [
          error(
            'program-not-executable',
            place,
            `the ${role} is not executable: the install fails when it is called`,
            `Run chmod 755 on it`,
          ),
        ]
      : []),
    ...(program === undefined ? [] : judgeFormat(place, program, target)),
  ];
}

function judgeFormat(place: { file: string }, program: Program, target: LintTarget): LintFinding[] {
  switch (program.kind) {
    case 'elf':
      return judgeElf(place, program.elf, target);
    case 'script': {
      const [interpreter = ''] = program.interpreter.split(/[ \t]/, 1);
      if (interpreter.endsWith('\r')) {
        const what =
          'the lines end with CR LF, so the kernel looks for an interpreter whose name ends with CR';
        return [error('program-format', place, what, 'Save it with LF alone')];
      }
      if (interpreter.startsWith('/')) return [];
      const what = `"#!${program.interpreter}" names no interpreter by its whole path`;
      return [error('program-format', place, what, 'Write for example #!/bin/sh')];
    }
    case 'text':
      return [warning('program-format', place, 'the script has no #! line', 'Begin it with #!/bin/sh')];
    case 'empty':
      return [error('program-format', place, 'the program is empty', 'Build it again')];
    case 'binary':
      return [error('program-format', place, 'it is neither an ELF program nor a script', 'Build it again')];
  }
}

function judgeElf(place: { file: string }, elf: Elf, { architecture, glibcMax }: LintTarget): LintFinding[] {
  if (elf.architecture !== architecture) {
    const built = elf.architecture === 'other' ? `machine ${elf.machine}` : elf.architecture;
    const what = `the program is built for ${built}, the devices are ${architecture}`;
    return [error('program-architecture', place, what, `Build it for ${architecture}`)];
  }
  const findings: LintFinding[] = [];
  if (elf.loader !== undefined && elf.loader !== loaders[architecture]) {
    const what = `the program asks for the loader "${elf.loader}", the devices have "${loaders[architecture]}"`;
    findings.push(error('program-loader', place, what, 'Build it for glibc, or link it statically'));
  }
  if (elf.glibc !== undefined && isOlder(glibcMax, elf.glibc)) {
    const what = `the program needs glibc ${elf.glibc}, the devices have ${glibcMax}`;
    findings.push(
      error('program-glibc', place, what, `Build it on a system with glibc ${glibcMax} or older`),
    );
  }
  return findings;
}
