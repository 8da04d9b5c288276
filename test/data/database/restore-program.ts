import type { Containers } from '../../../shared/data/database/database.ts';
import { restoreDatabase } from '../../../shared/data/database/restore.ts';
import { QuickContainers, quietLog } from './database-stack.ts';

/**
 * Restores, and is killed on the way: `before 7` when it is about to do the seventh thing in a container, `within 7`
 * when that has just begun. Prints how many there were.
 */
const [dump = '', when = '', step = '0'] = process.argv.slice(2);
const inner = new QuickContainers({ DOCKER_HOST: process.env['DOCKER_HOST'] ?? '' });
let count = 0;

const containers: Containers = {
  async exec(service, argv, options) {
    count += 1;
    const isTheOne = count === Number(step);
    if (isTheOne && when === 'before') process.kill(process.pid, 'SIGKILL');
    const running = inner.exec(service, argv, options);
    if (isTheOne && when === 'within') {
      await Bun.sleep(Number(process.argv[5] ?? 0));
      process.kill(process.pid, 'SIGKILL');
    }
    return await running;
  },
};

await restoreDatabase({ containers, service: 'postgres', dump, log: quietLog() });
process.stdout.write(`${count}\n`);
