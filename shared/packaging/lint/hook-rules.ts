import type { KeyFileEntry } from '../../rauc/key-file.ts';
import { bundleHooks, imageHooks } from '../../rauc/manifest-keys.ts';
import { type Bundle, entryIn } from './bundle.ts';
import { hookListsOf } from './hook-lists.ts';
import { error, type LintFinding, type Place, warning } from './lint-finding.ts';
import type { LintTarget } from './lint-target.ts';
import { judgeProgram } from './program-rules.ts';
import { judgeScripts } from './script-rules.ts';

/** Judges which hooks the manifest names, and whether there is a program for them. */
export function judgeHooks(bundle: Bundle, target: LintTarget): LintFinding[] {
  const program = entryIn(bundle.manifest, 'hooks', 'filename');
  const handler = entryIn(bundle.manifest, 'handler', 'filename');
  return [
    ...judgeNames(bundle),
    ...judgePairing(bundle, program),
    ...(program === undefined && handler === undefined ? judgeAbsence(bundle) : []),
    ...(program === undefined ? [] : judgeProgram(bundle, target, program, 'hook')),
    ...(program === undefined ? [] : judgeScripts(bundle, program)),
    ...(handler === undefined ? [] : judgeProgram(bundle, target, handler, 'handler')),
    ...judgeHandler(bundle, handler),
  ];
}

function judgeNames(bundle: Bundle): LintFinding[] {
  return hookListsOf(bundle).flatMap(({ entry, names, image }) => {
    const known: readonly string[] = image === undefined ? bundleHooks : imageHooks;
    const place = placeOf(bundle, entry);
    const unknown = names
      .filter((name) => !known.includes(name))
      .map((name) =>
        error(
          'hook-unknown',
          place,
          `RAUC knows no hook "${name}" in [${image ?? 'hooks'}], and refuses the bundle`,
          adviceFor(name, image, known),
        ),
      );
    if (!names.includes('install') || names.every((name) => name === 'install')) return unknown;
    const what = 'the hook "install" replaces the whole write: pre-install and post-install are never called';
    return [...unknown, error('hook-silenced', place, what, 'Keep "install" alone, or leave it out')];
  });
}

function adviceFor(name: string, image: string | undefined, known: readonly string[]): string {
  if (/post-activate$/.test(name))
    return 'RAUC never runs anything in the new system: let a boot unit there run it, before boot-complete.target';
  if (/[,\s]/.test(name)) return 'Separate names by ";"';
  const bare = name.replace(/^slot-/, '');
  if (image === undefined && (imageHooks as readonly string[]).includes(bare))
    return `Move "${bare}" to hooks= of the image`;
  if (image !== undefined && (bundleHooks as readonly string[]).includes(bare))
    return `Move "${bare}" to hooks= of [hooks]`;
  return `It knows ${known.join(', ')} there`;
}

function judgePairing(bundle: Bundle, program: KeyFileEntry | undefined): LintFinding[] {
  const lists = hookListsOf(bundle);
  const first = lists.find(({ names }) => names.length > 0);
  if (program === undefined && first !== undefined) {
    const what = 'hooks are named, and no program for them';
    return [
      error(
        'hooks-without-program',
        placeOf(bundle, first.entry),
        what,
        'Give filename= in [hooks], or remove hooks=',
      ),
    ];
  }
  if (program !== undefined && first === undefined) {
    const what = `no hooks= names a hook, so RAUC installs the bundle and never runs "${program.value}"`;
    const advice = 'Add hooks=install-check to [hooks], and hooks=pre-install;post-install to the image';
    return [error('hooks-unnamed', placeOf(bundle, program), what, advice)];
  }
  return [];
}

/** Such a bundle is right for RAUC; on a device of ours nothing is checked or backed up, and the new slot lacks our programs. */
function judgeAbsence(bundle: Bundle): LintFinding[] {
  if (hookListsOf(bundle).some(({ names }) => names.length > 0)) return [];
  const what =
    'no hook is named: RAUC installs the bundle without a check, a backup, and programs for the new slot';
  const advice =
    'Give [hooks] filename= and hooks=install-check, and the image hooks=pre-install;post-install';
  return [warning('hooks-none', { file: bundle.manifestFile }, what, advice)];
}

/** A full custom handler replaces all that RAUC would do: writing, slot hooks, and setting the bootloader. */
function judgeHandler(bundle: Bundle, handler: KeyFileEntry | undefined): LintFinding[] {
  if (handler === undefined) return [];
  const slotHooks = hookListsOf(bundle).find(({ image, names }) => image !== undefined && names.length > 0);
  if (slotHooks === undefined) {
    const what =
      'with a [handler] RAUC writes no image, calls no hook of an image and does not change the boot order: the handler must';
    const advice = 'Remove [handler], or see that its program does all of that';
    return [warning('handler-replaces-hooks', placeOf(bundle, handler), what, advice)];
  }
  return [
    warning(
      'handler-replaces-hooks',
      placeOf(bundle, slotHooks.entry),
      'with a [handler] RAUC writes no image and calls no hook of an image',
      'Remove [handler], or these hooks',
    ),
  ];
}

function placeOf(bundle: Bundle, { line }: KeyFileEntry): Place {
  return { file: bundle.manifestFile, line };
}
