import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { raucVersion } from '../../../../shared/packaging/format/rauc-version.ts';
import { outputsFolder, raucCommands } from '../outputs.ts';
import { recordOutputs, shortVersion } from '../record-outputs.ts';

/** Writes the folder of fixtures of the RAUC that is first on PATH: `bun test/support/rauc/programs/record.ts`, as root. */

const version = shortVersion(await raucVersion());
const folder = join(outputsFolder, version);
mkdirSync(folder, { recursive: true });
const recorded = await recordOutputs();
for (const command of raucCommands)
  writeFileSync(join(folder, `${command}.json`), `${JSON.stringify(recorded[command], undefined, 2)}\n`);
