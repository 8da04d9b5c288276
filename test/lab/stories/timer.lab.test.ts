import { describe, expect } from 'bun:test';
import { serveBundle, shelfOrigin } from '../board/shelf-server.ts';
import {
  bootEnvironment,
  bootedSlot,
  fetchBundle,
  installMs,
  scheduledShutdown,
  told,
  updateProgram,
  waitForVerdict,
} from '../board/update.ts';
import { labImages } from '../images/images.ts';
import { settledBoard } from '../settled.ts';
import { story } from './story.ts';

/** The timer as it ships, and the reboot that logind keeps, under a real systemd. */

describe('an emulated board', () => {
  story('updates itself from a URL when its timer has elapsed', settledBoard, async (board) => {
    await using _server = await serveBundle(board, await labImages(), '1.1.0');
    await board.run(
      `printf '  url: ${shelfOrigin}/1.1.0.raucb\\n  reboot: now\\n' >>/data/config/orchestrator.yaml`,
    );
    await board.run('systemctl enable homie-update.timer');
    const soon =
      '[Timer]\\nOnCalendar=\\nOnActiveSec=2\\nRandomizedDelaySec=0\\nAccuracySec=1\\nPersistent=no\\n';
    await board.run(
      `mkdir -p /run/systemd/system/homie-update.timer.d; printf '${soon}' >/run/systemd/system/homie-update.timer.d/lab.conf; systemctl daemon-reload; systemctl start homie-update.timer`,
    );
    await board.nextBoot(installMs);
    await waitForVerdict(board);
    expect(await told(board)).toMatchObject({ version: '1.1.0', booted: 'rootfs.1', state: 'committed' });
    // What the device was told stays true in the new slot.
    expect(await board.run('systemctl is-enabled homie-update.timer')).toBe('enabled');
    await board.run('systemctl start homie-update.service');
    expect(await board.run('tail -n 5 /data/logs/update.log')).toContain('Nothing new');
  });

  story('has logind keep the reboot, and takes it back with the update', settledBoard, async (board) => {
    const bundle = await fetchBundle(board, '1.1.0');
    const { exitCode } = await board.ask(`${updateProgram} install --reboot +30 ${bundle}`, installMs);
    expect(exitCode).toBe(4);
    expect(await scheduledShutdown(board)).toContain('reboot');
    expect(await bootEnvironment(board)).toMatchObject({ order: 'B A' });

    await board.run('shutdown -c');
    expect(await scheduledShutdown(board)).toBe('');
    // Only the reboot is put off.
    expect(await told(board)).toMatchObject({ primary: 'rootfs.1', state: 'installed' });
    await board.run('shutdown -r +30');
    await board.run(`${updateProgram} cancel`);
    expect(await scheduledShutdown(board)).toBe('');
    expect(await told(board)).toMatchObject({ primary: 'rootfs.0', state: 'rolled-back' });
    expect(await bootEnvironment(board)).toMatchObject({ order: 'A B' });
    expect(await bootedSlot(board)).toBe('A');
  });
});
