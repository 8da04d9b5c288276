import { buildAll } from './shared/packaging/commands/all.ts';
import { buildSpec } from './shared/packaging/commands/build-spec.ts';
import { buildBundle } from './shared/packaging/commands/bundle.ts';
import { giveToOwner } from './shared/packaging/commands/give-to-owner.ts';
import { buildHooks } from './shared/packaging/commands/hooks.ts';
import { buildImage } from './shared/packaging/commands/image.ts';
import { changeKeys } from './shared/packaging/commands/keys.ts';
import { writeLicenses } from './shared/packaging/commands/licenses.ts';
import { lint } from './shared/packaging/commands/lint.ts';
import { tellNotes } from './shared/packaging/commands/notes.ts';
import { publish } from './shared/packaging/commands/publish.ts';
import { writeReference } from './shared/packaging/commands/reference.ts';
import { buildRootfs } from './shared/packaging/commands/rootfs.ts';
import { simulate } from './shared/packaging/commands/simulate.ts';
import { start } from './shared/packaging/commands/start.ts';
import { useHostPath } from './shared/packaging/device/host.ts';
import { project } from './shared/packaging/project.ts';
import type { Outcome } from './shared/system/exit-code.ts';
import { type Running, runProgram } from './shared/system/process/program.ts';
import { parseArguments, type Values } from './shared/system/terminal/arguments.ts';
import { print } from './shared/system/terminal/print.ts';
import { programVersion } from './shared/system/version.ts';

/** The project's build program, `bun build.ts <command>`: compiles the programs, makes keys, packs, signs and tries bundles. */

const stories: Record<string, (values: Values, running: Running) => Promise<Outcome>> = {
  hooks: buildHooks,
  keys: changeKeys,
  lint: (values) => lint(values),
  bundle: buildBundle,
  rootfs: buildRootfs,
  image: buildImage,
  simulate,
  publish,
  licenses: () => writeLicenses(),
  reference: () => writeReference(),
  notes: (values) => tellNotes(values),
  all: (_values, running) => buildAll(running),
  start: (_values, running) => start(running),
};

await runProgram({ name: 'build.ts', deadlineMs: 15 * 60_000 }, async (running) => {
  const args = process.argv.slice(2);
  if (args[0] === '--version') {
    print(1, `${programVersion}\n`);
    return 'done';
  }
  const parsed = await parseArguments(buildSpec, args);
  if (parsed.kind === 'help') {
    print(1, `${parsed.text}\n`);
    return 'done';
  }
  useHostPath();
  running.undo.owe('give the owner what root made', () =>
    // git describe writes the index anew.
    giveToOwner(project.root, [project.dist, project.keys, project.cache, project.gitIndex]),
  );
  const story = stories[parsed.command];
  if (story === undefined) throw new Error(`no story for ${parsed.command}`); // buildSpec and `stories` list the same commands
  return await story(parsed.values, running);
});
