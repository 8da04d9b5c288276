import type { Board } from '../board/board.ts';
import { chooseSlot, readVariables } from './boot-script-choice.ts';
import { bootEnvironmentParts } from './boot-script-environment.ts';

/**
 * Increase it with every change of what the script does. The kernel and the saved environment get it (homie.boot_script,
 * homie_boot_version).
 */
export const bootScriptVersion = '1';

/** The variables that the script saves, and that RAUC or our programs read. */
export const savedVariables = [
  'BOOT_ORDER',
  'BOOT_A_LEFT',
  'BOOT_B_LEFT',
  'homie_boot_refilled',
  'homie_boot_version',
] as const;

export interface BootScript {
  /** Loads the environment, chooses a slot, loads its files and saves the attempt. */
  choose: string;
  /** Starts the kernel of that slot. */
  start: string;
}

/**
 * Renders the boot script of a board, for U-Boot's old and new shell; its rules are in docs/decisions/boot-script.md.
 * Variables that begin with `h_` are the shell's own and never saved; the old shell cannot set one to an empty value. Why
 * `if false; test …`: if a damaged value makes the test invalid, the shell uses the result of the command before it.
 */
export function renderBootScript(board: Board): string {
  const { choose, start } = bootScriptParts(board);
  return choose + start;
}

export function bootScriptParts(board: Board): BootScript {
  const environment = bootEnvironmentParts(board.environment, savedVariables);
  const choose = [head(board), environment.load, readVariables, chooseSlot(board), save(environment.save)];
  return { choose: choose.join('\n'), start: start(board) };
}

function head({ name }: Board): string {
  return `# Homie A/B boot script, version ${bootScriptVersion}, for ${name}. Made by build.ts, not to be edited.
echo "Homie boot script ${bootScriptVersion}"
`;
}

function save(saveEnvironment: string): string {
  return `# Saved only when it has changed, before anything else can go wrong.
setenv homie_part
setenv filesize
setenv fileaddr
if test \${h_changed} = yes; then
  setenv BOOT_A_LEFT \${h_left_a}
  setenv BOOT_B_LEFT \${h_left_b}
  setenv homie_boot_version ${bootScriptVersion}
${indented(saveEnvironment)}
fi
`;
}

function start({ boot }: Board): string {
  const { initrd, deviceTree, ownBootargsVariable, bootargs, panicSeconds } = boot;
  const tree = `\${${deviceTree.startsWith('/') ? 'fdt_addr_r' : deviceTree.slice(1)}}`;
  return `if test \${h_slot} = none; then
  echo "No slot can be loaded: trying again in ten seconds"
  sleep 10
  reset
fi
part uuid \${devtype} \${devnum}:\${h_part} homie_uuid
# The last of two equal arguments counts.
setenv bootargs "\${${ownBootargsVariable}} ${bootargs} root=PARTUUID=\${homie_uuid} rootfstype=ext4 rootwait rw"
setenv bootargs "\${bootargs} rauc.slot=\${h_slot} panic=${panicSeconds}"
setenv bootargs "\${bootargs} homie.boot=\${h_report} homie.boot_script=${bootScriptVersion}"
echo "Booting slot \${h_slot} (\${h_report})"
booti \${kernel_addr_r} ${initrd === undefined ? '-' : `\${h_initrd}`} ${tree}
echo "The kernel of slot \${h_slot} does not start"
reset
`;
}

function indented(lines: string): string {
  return lines.replace(/^(?=.)/gm, '  ');
}
