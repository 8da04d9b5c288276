import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { project } from '../../../shared/packaging/project.ts';
import { command } from '../../../shared/system/process/command.ts';

/** The compose file that a new card starts with, read by the docker-compose that the root file system brings. */
test('docker-compose knows every option of the starter file', async () => {
  const file = join(project.root, 'bundle-skeleton/device/usr/share/homie/docker-compose.yml');
  const run = command({ deadlineMs: 60_000 });
  expect((await run`docker-compose --file ${file} config --services`).stdout.split('\n').sort()).toEqual(
    expect.arrayContaining(['homie_core', 'orchestrator', 'postgres', 'redis']),
  );
});
