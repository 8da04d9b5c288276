/** Starts an engine with a container on a network, says so, and waits to be killed. Arguments: folder, images. */
import { join } from 'node:path';
import { print } from '../../../../shared/system/terminal/print.ts';
import { startEngine } from '../engine.ts';
import { imageName } from '../images.ts';
import { startRegistry } from '../registry.ts';

const [folder = '', images = ''] = process.argv.slice(2);
const engine = await startEngine({ folder: join(folder, 'engine') });
const registry = await startRegistry({ folder: join(folder, 'registry'), images });
await engine.docker(['network', 'create', 'home']);
await engine.docker(['run', '--detach', '--network=home', imageName(registry.name, 'redis', '7')]);
print(1, `${JSON.stringify(engine.place)}\n`);
setInterval(() => {}, 60_000);
