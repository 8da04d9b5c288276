import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../../../shared/config/config.ts';
import { bootAllowanceMs } from '../../../shared/update/boot/decide-boot.ts';
import { Scene } from '../../support/scene/scene.ts';

const unit = join(
  import.meta.dir,
  '../../../bundle-skeleton/rootfs/usr/lib/systemd/system/homie-post-activate.service',
);
const undoMs = 600_000;

/** The largest number that the config takes. */
function mostOf(scene: Scene, key: string): number {
  let [taken, refused] = [1, 1_000_000];
  while (refused - taken > 1) {
    const middle = Math.floor((taken + refused) / 2);
    scene.configure({ [key]: middle });
    if (readConfig(scene.places).problems.length === 0) taken = middle;
    else refused = middle;
  }
  return taken;
}

describe('bootAllowanceMs()', () => {
  test('is the sum of what a boot may wait for', () => {
    const update = { healthDeadlineSeconds: 600, settleSeconds: 10, migrationLongestSeconds: 7200 };
    expect(bootAllowanceMs(update)).toBe((600 + 10 + 7200 + 4 * 3600 + 180) * 1000);
  });

  test('ends before systemd kills the program, with any config', () => {
    using scene = new Scene();
    const longest = bootAllowanceMs({
      healthDeadlineSeconds: mostOf(scene, 'health_deadline_seconds'),
      settleSeconds: mostOf(scene, 'settle_seconds'),
      migrationLongestSeconds: mostOf(scene, 'migration_longest_seconds'),
    });
    const [, hours] = /^TimeoutStartSec=(\d+)h$/m.exec(readFileSync(unit, 'utf8')) ?? [];
    expect(longest + undoMs).toBeLessThan(Number(hours) * 3_600_000);
  });
});
