import { describe, expect } from 'bun:test';
import type { Board } from '../board/board.ts';
import { bootedSlot, install, reboot, told, waitForVerdict } from '../board/update.ts';
import { factoryVersion } from '../images/card-image.ts';
import { schemas } from '../stack/compose.ts';
import { dump, schema, sql } from '../stack/database.ts';
import { serveImages, settledStackBoard } from '../stack/settled-stack.ts';
import { story } from './story.ts';

/** The same with nothing in place of the stack: Docker, a registry's images, PostgreSQL and redis on the board. */

describe('an emulated board with Docker', () => {
  story(
    'fetches new images beside the stack that runs, migrates its database, and commits',
    settledStackBoard,
    async (board) => {
      await using _registry = await serveImages(board);
      expect(await health(board)).toBe(healthy);
      expect(await runningImages(board)).toContain('homie_core:1.0.0');

      await install(board, '1.1.0');
      expect(await board.run('docker image ls')).toMatch(/homie_core +2\.0\.0/);
      expect(await runningImages(board)).toContain('homie_core:1.0.0');
      expect(await health(board)).toBe(healthy);
      expect(await schema(board)).toBe(schemas.before);

      await reboot(board);
      await waitForVerdict(board);
      expect(await told(board)).toMatchObject({ version: '1.1.0', booted: 'rootfs.1', state: 'committed' });
      expect(await health(board)).toBe(healthy);
      expect(await runningImages(board)).toContain('homie_core:2.0.0');
      expect(await schema(board)).toBe(schemas.after);
      expect(await sql(board, 'SELECT first_name, last_name FROM people ORDER BY id')).toEqual([
        'Ada|Lovelace',
        'Alan|Turing',
        'Grace|Hopper',
      ]);
    },
  );

  story(
    'rolls an unwell stack back, with its migrated database as it was before',
    settledStackBoard,
    async (board) => {
      await using _registry = await serveImages(board);
      const before = await dump(board);
      // A shorter wait for a good answer that does not come.
      await board.run(
        'sed -i "s/health_deadline_seconds: .*/health_deadline_seconds: 240/" /data/config/orchestrator.yaml',
      );
      await install(board, '1.2.0');
      await reboot(board);
      expect(await bootedSlot(board)).toBe('B');
      await board.nextBoot();
      await waitForVerdict(board);
      const { state, reason, ...rest } = await told(board);
      expect(rest).toEqual({ version: factoryVersion, booted: 'rootfs.0', primary: 'rootfs.0' });
      expect(state).toBe('rolled-back');
      expect(reason).toContain('told to be unhealthy');
      // It was migrated, and is not any more.
      expect(await board.run('cat /data/logs/update.log')).toContain(
        `Migrated the database to ${schemas.after}`,
      );
      expect(await dump(board)).toBe(before);
      expect(await health(board)).toBe(healthy);
      expect(await runningImages(board)).toContain('homie_core:1.0.0');
    },
  );
});

const healthy = '200 {"status": "healthy"}';

/** Asked from outside the board, as a client in the house would. */
async function health(board: Board): Promise<string> {
  const answer = await fetch(board.healthUrl, { signal: AbortSignal.timeout(60_000) });
  return `${answer.status} ${await answer.text()}`;
}

async function runningImages(board: Board): Promise<string> {
  return await board.run("docker ps --format '{{.Image}}'");
}
