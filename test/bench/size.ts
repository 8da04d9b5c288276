import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compilePrograms, compileSeparately } from '../../shared/packaging/bundle/compile.ts';
import { command } from '../../shared/system/process/command.ts';
import { TempFolder } from '../support/temp-folder.ts';
import type { Point } from './bench.ts';
import { allOf, atMost, megabytes, type Row, row } from './row.ts';

/** Sizes are exact: one round is enough. */
export const measureSize: Point = async (tell) => {
  using folder = new TempFolder();
  const [one, separate, scripts] = [folder.at('one'), folder.at('separate'), folder.at('scripts')];
  tell('compiling for arm64, once and six times');
  await compilePrograms(one, { architecture: 'arm64' });
  await compileSeparately(separate, { architecture: 'arm64' });
  for (const name of ['pre-install', 'post-install', 'post-activate'])
    folder.write(`scripts/${name}`, guideScript, 0o755);
  const rows: Row[] = [];
  for (const compression of ['xz', 'gzip', 'zstd']) {
    const ours = await packedBytes(one, compression);
    const others = await packedBytes(separate, compression);
    const guide = await packedBytes(scripts, compression);
    rows.push(
      row({
        what: `${compression}, one executable under seven names`,
        ours: megabytes(ours),
        against: `six executables ${megabytes(others)}; scripts ${megabytes(guide)}`,
        ratio: ours / others,
        n: 1,
        // Bundles are packed with xz by default.
        ...(compression === 'xz' && {
          goal: allOf(atMost(ours, 45e6, '45 MB'), atMost(ours / others, 0.26)),
        }),
      }),
    );
  }
  return rows;
};

/** What a bundle becomes longer by. */
async function packedBytes(folder: string, compression: string): Promise<number> {
  const file = join(folder, '..', 'packed.squashfs');
  writeFileSync(file, '');
  try {
    await command({
      deadlineMs: 15 * 60_000,
    })`mksquashfs ${folder} ${file} -noappend -no-progress -quiet -comp ${compression}`;
    return statSync(file).size;
  } finally {
    rmSync(file);
  }
}

/** About what the guide has in each of its hooks. */
const guideScript = `#!/bin/bash
case "$1" in
    slot-post-install)
        cd /opt/homie_orchestrator
        docker-compose pull
        docker-compose run --rm orchestrator python -m alembic upgrade head
        echo "$(date): Post-install completed" >> /data/logs/update.log
        ;;
esac
`;
