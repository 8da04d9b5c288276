import { isRaucsHandler } from '../shared/rauc/hook-environment.ts';
import { exitCodeOf, exitCodeTable } from '../shared/system/exit-code.ts';
import { Failure } from '../shared/system/failure.ts';
import { print } from '../shared/system/terminal/print.ts';
import { programVersion } from '../shared/system/version.ts';
import { chooseProgram, type Story } from './choose-program.ts';
import type { Hook } from './hook.ts';
import { tell } from './tell.ts';

/** The entry point: one executable under seven names. Only the program that was called is loaded. */

const load: Record<Story, () => Promise<Hook>> = {
  'system-check': async () => (await import('./system-check.ts')).systemCheck,
  'install-check': async () => (await import('./install-check.ts')).installCheck,
  'pre-install': async () => (await import('./pre-install.ts')).preInstall,
  'post-install': async () => (await import('./post-install.ts')).postInstall,
  'post-activate': async () => (await import('./post-activate.ts')).postActivate,
  'update.sh': async () => (await import('./update.ts')).update,
};

async function main(): Promise<void> {
  const choice = chooseProgram(process.argv0, process.argv.slice(2), isRaucsHandler());
  switch (choice.kind) {
    case 'version':
      print(1, `${programVersion}\n`);
      return process.exit(exitCodeOf('done'));
    case 'help':
      print(1, help());
      return process.exit(exitCodeOf('done'));
    case 'unknown-hook':
      print(2, `Nothing to do for the hook "${choice.name}"\n`);
      return process.exit(exitCodeOf('done'));
    case 'nothing-said':
      print(2, 'Cannot run a hook: its name is missing. See hook --help\n');
      return process.exit(exitCodeOf('usage'));
    case 'story':
      return await tell(await load[choice.story](), choice.args);
  }
}

function help(): string {
  return `hook: the door for RAUC, which calls it with the name of a hook

Usage: hook <name of a hook>

Hooks:
  hook install-check       may the bundle be installed? Touches nothing
  hook slot-pre-install    back up the configuration before the new slot is written
  hook slot-post-install   put the update programs of the bundle into the new slot

The same file under another name is another program: ${Object.keys(load).join(', ')}.
Each of them has a --help of its own. A hook that is not known is harmless: exit 0.

Examples:
  hook install-check --bundle /mnt --dry-run   may the bundle mounted at /mnt be installed here?
  hook slot-pre-install --help                 what that hook takes

Exit codes:
${exitCodeTable()}
`;
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  print(2, `${error.message}\n`);
  process.exit(exitCodeOf(error.outcome));
}
