import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../shared/packaging/project.ts';
import { compiledPrograms } from '../support/build/compiled-programs.ts';
import { Scene } from '../support/scene/scene.ts';
import type { Point } from './bench.ts';
import { inTurn, medianSeconds, peakBytesOf, type Run, ratioOf, run } from './measure.ts';
import { allOf, atMost, megabytes, milliseconds, type Row, row } from './row.ts';

const rounds = 21;
const mostPeakBytes = 48e6;

/** Ours against the same in node with zx, as it would be without compiling, and in bash, as the guide has it. */
export const measureStart: Point = async (tell) => {
  using scene = new Scene();
  tell('compiling');
  const programs = await compiledPrograms({ architecture: 'x64' });
  scene.configure({ reserve_mib: 0 });
  const env = environmentOf(scene);
  // In the project's folder: node finds zx there only.
  const zxVersion = join(project.cache, 'bench-version.mjs');
  const zxCheck = join(project.cache, 'bench-check.mjs');
  writeFileSync(zxVersion, zxScript('console.log("1.0.0")'));
  writeFileSync(
    zxCheck,
    zxScript(`const manifest = await fs.readFile(process.env.RAUC_BUNDLE_MOUNT_POINT + '/manifest.raucm', 'utf8');
const wanted = await $\`sed -n s/^compatible=//p \${process.env.RAUC_BUNDLE_MOUNT_POINT}/manifest.raucm\`;
if (wanted.stdout.trim() !== process.env.RAUC_SYSTEM_COMPATIBLE || manifest === '') process.exit(10);
const free = await $\`df --output=avail -B1 \${process.env.HOMIE_DATA}\`;
if (Number(free.stdout.split('\\n')[1]) < 1) process.exit(11);`),
  );
  const bashCheck = scene.write(
    'check.sh',
    `[ "$(sed -n s/^compatible=//p "$RAUC_BUNDLE_MOUNT_POINT/manifest.raucm")" = "$RAUC_SYSTEM_COMPATIBLE" ] || exit 10
[ "$(df --output=avail -B1 "$HOMIE_DATA" | tail -1)" -ge 1 ] || exit 11
`,
  );
  const rows: Row[] = [];
  for (const name of ['install-check', 'pre-install', 'post-install', 'post-activate', 'update.sh', 'hook']) {
    const runs = await inTurn(rounds, {
      ours: () => run([join(programs, name), '--version'], { env }),
      zx: () => run(['node', zxVersion]),
      bash: () => run(['bash', '-c', 'echo 1.0.0']),
    });
    rows.push(versionRow(name, runs, await peakBytesOf([join(programs, name), '--version'], { env })));
  }
  const runs = await inTurn(rounds, {
    ours: () => run([join(programs, 'install-check')], { env }),
    zx: () => run(['node', zxCheck], { env }),
    bash: () => run(['bash', bashCheck], { env }),
  });
  const peak = await peakBytesOf([join(programs, 'install-check')], { env });
  rows.push(
    row({
      what: 'install-check that passes',
      ours: `${milliseconds(medianSeconds(runs.ours))}, ${megabytes(peak)}`,
      against: against(runs),
      ratio: ratioOf(runs.ours, runs.zx),
      n: rounds,
      goal: atMost(peak, mostPeakBytes, '48 MB'),
      note: 'node + zx and bash look at two things only: compatible and free space',
    }),
  );
  return rows;
};

function versionRow(name: string, runs: Record<'ours' | 'zx' | 'bash', Run[]>, peak: number): Row {
  const [seconds, ratio] = [medianSeconds(runs.ours), ratioOf(runs.ours, runs.zx)];
  const least = Math.min(...runs.ours.map((each) => each.seconds));
  return row({
    what: `${name} --version`,
    ours: `${milliseconds(seconds)} (least ${milliseconds(least)}), ${megabytes(peak)}`,
    against: against(runs),
    ratio,
    n: rounds,
    goal: allOf(
      atMost(seconds, 0.012, '12 ms'),
      atMost(ratio, 0.05, '0.05'),
      atMost(peak, mostPeakBytes, '48 MB'),
    ),
  });
}

function against(runs: Record<'zx' | 'bash', Run[]>): string {
  return `node + zx ${milliseconds(medianSeconds(runs.zx))}; bash ${milliseconds(medianSeconds(runs.bash))}`;
}

function zxScript(body: string): string {
  return `import { $, fs } from 'zx';\n$.verbose = false;\n${body}\n`;
}

/** As RAUC calls, with the fake tools of the scene first on PATH. */
export function environmentOf(scene: Scene): Record<string, string> {
  return {
    PATH: `${scene.at('bin')}:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOMIE_DATA: scene.places.data,
    HOMIE_ROOT: scene.places.root,
    HOMIE_RUN: scene.places.run,
    RAUC_SYSTEM_COMPATIBLE: 'jetson-nano-homie',
    RAUC_BUNDLE_MOUNT_POINT: scene.bundle,
    RAUC_MOUNT_PREFIX: scene.path,
  };
}
