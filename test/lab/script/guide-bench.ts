import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../../shared/packaging/project.ts';
import type { Slot } from '../boot-model.ts';
import { layOut, loadTried, runUBoot, writeScripts } from './uboot-disk.ts';

/** What RAUC has left in the environment; the attempts are decimal to the guide's script. */
export interface GuideStart {
  order: string;
  leftOfA: number;
  leftOfB: number;
}

/**
 * The slots that the guide's own script boots in a row from each start, in the real U-Boot. Its `saveenv` is left out:
 * between these boots U-Boot keeps its variables anyway, and the emulated board's own flash cannot be written.
 */
export async function runGuideScript(
  folder: string,
  starts: readonly GuideStart[],
  boots: number,
): Promise<Slot[][]> {
  const disk = join(folder, 'guide.img');
  const script = readFileSync(join(project.root, 'test/fixtures/guide-boot.cmd'), 'utf8');
  const row = Array.from({ length: boots }, (_, index) => index).join(' ');
  const bench = starts.map(
    ({ order, leftOfA, leftOfB }) => `setenv BOOT_ORDER "${order}"
setenv BOOT_A_LEFT ${leftOfA}
setenv BOOT_B_LEFT ${leftOfB}
for b_boot in ${row}; do
  source 0x48000000
  echo "BOOT \${bootargs}"
done
`,
  );
  await layOut(folder, disk, { roomMiB: 1, loadable: [] });
  await writeScripts(folder, disk, {
    bench: `${loadTried}${bench.join('')}poweroff\n`,
    tried: script.replace(/^saveenv$/m, ''),
  });
  const words = await runUBoot(disk);
  const slots = [...words.matchAll(/^BOOT root=\/dev\/mmcblk0p([23]) /gm)].map(
    ([, part]): Slot => (part === '2' ? 'A' : 'B'),
  );
  return starts.map((_, index) => slots.slice(index * boots, (index + 1) * boots));
}
