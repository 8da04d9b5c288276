import { copyFileSync, cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDevice } from '../../shared/packaging/device/device.ts';
import { ext4Features } from '../../shared/packaging/device/disk.ts';
import type { EmbeddedDevice } from '../../shared/packaging/device/running-device.ts';
import { createKeys, type KeySet } from '../../shared/packaging/pki/keys.ts';
import { project } from '../../shared/packaging/project.ts';
import { makeDemoRootfs } from '../../shared/packaging/root/rootfs.ts';
import { addOrchestrator } from '../../shared/packaging/simulator/orchestrator.ts';
import { readTrace } from '../../shared/packaging/simulator/trace.ts';
import { command } from '../../shared/system/process/command.ts';
import { executableName } from '../../shared/update/slot/program-names.ts';
import { writeSlotContent } from '../../shared/update/slot/slot-content.ts';
import { compiledPrograms } from '../support/build/compiled-programs.ts';
import { buildTime, packBundle } from '../support/build/pack-bundle.ts';
import { TempFolder } from '../support/temp-folder.ts';
import { type HookTimes, hookTimesOf } from './install-times.ts';
import type { Run } from './measure.ts';
import { fillWithLargeFiles, fillWithSmallFiles } from './trees.ts';

/** The embedded A/B device with data worth a backup, and one root file system in three bundles. */

export type WhoseHooks = 'ours' | 'none' | 'guide';

export interface InstallRun extends Run {
  hooks: HookTimes;
}

export interface InstallStage extends AsyncDisposable {
  /**
   * One `rauc install`, from a board whose orchestrator runs and whose disks have nothing left to write. Two small files
   * are all that there is to back up where the configuration is small.
   */
  install(whose: WhoseHooks, configuration: 'large' | 'small'): Promise<InstallRun>;
}

const [rootMiB, slotMiB, dataMiB] = [1000, 1200, 3072];
const toolMs = 300_000;
const installMs = 600_000;
const run = command({ deadlineMs: toolMs });

export async function openInstallStage(tell: (line: string) => void): Promise<InstallStage> {
  await using undo = new AsyncDisposableStack();
  const folder = undo.use(new TempFolder());
  tell(`making a root file system of ${rootMiB} MiB`);
  const programs = await compiledPrograms({ architecture: 'x64' });
  await makeRootfs(folder, programs);
  await makeDemoRootfs(folder.at('factory.ext4'), '1.0.0', buildTime);
  const keys = await createKeys(folder.at('keys'));
  const traceFile = folder.at('trace.jsonl');
  const device = undo.use(
    await createDevice({
      folder: folder.at('device'),
      keyringPath: keys.keyringPath,
      rootfsImage: folder.at('factory.ext4'),
      sizesMiB: { slot: slotMiB, data: dataMiB },
      // Its programs are for this machine, and compile as they run.
      environment: { HOMIE_TRACE: traceFile, BUN_JSC_useBaselineJIT: '1' },
    }),
  );
  tell('packing it with our programs, with none, and with the scripts of the guide');
  const bundles = {
    ours: await packWithOurs(folder, keys, programs),
    none: await packWith(folder, keys, 'none'),
    guide: await packWith(folder, keys, 'guide', guideHook(device)),
  };
  addOrchestrator(device);
  const [large, aside] = [join(device.dataFolder, 'config/large'), join(device.dataFolder, 'aside')];
  fillWithSmallFiles(large, 20_000);
  fillWithLargeFiles(large, 9, 50);
  fillWithLargeFiles(join(device.dataFolder, 'postgres'), 1, 200);
  const kept = undo.move();
  return {
    async install(whose, configuration) {
      if (configuration === 'small') renameSync(large, aside);
      await makeReady(device, traceFile);
      const startedMs = performance.now();
      const { exitCode, stdout, stderr } = await device.rauc(['install', bundles[whose]], {
        deadlineMs: installMs,
      });
      const seconds = (performance.now() - startedMs) / 1000;
      if (configuration === 'small') renameSync(aside, large);
      if (exitCode !== 0)
        throw new Error(`rauc install of "${whose}" ended with ${exitCode}: ${stdout}${stderr}`);
      return { seconds, stderr, hooks: hookTimesOf(readTrace(traceFile), logOf(device)) };
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** No round pays for what another has left to be written. */
async function makeReady(device: EmbeddedDevice, traceFile: string): Promise<void> {
  for (const path of ['backups', 'logs/update.log'])
    rmSync(join(device.dataFolder, path), { recursive: true, force: true });
  rmSync(traceFile, { force: true });
  const { exitCode } = await device.run('systemctl', ['start', 'homie-orchestrator']);
  if (exitCode !== 0) throw new Error('the orchestrator does not start');
  await run`sync`;
}

function logOf(device: EmbeddedDevice): string {
  try {
    return readFileSync(join(device.dataFolder, 'logs/update.log'), 'utf8');
  } catch {
    return '';
  }
}

/** As `build.ts rootfs` makes one, our programs in it, and filled to a gigabyte; a quarter of that cannot be compressed. */
async function makeRootfs(folder: TempFolder, programs: string): Promise<void> {
  const tree = folder.at('root');
  cpSync(join(project.skeleton, 'rootfs'), tree, { recursive: true });
  writeSlotContent(tree, {
    executable: join(programs, executableName),
    version: '1.1.0',
    unit: 'homie-orchestrator.service',
    isTimerEnabled: false,
  });
  fillWithLargeFiles(join(tree, 'usr/lib/large'), 32, 25);
  await run`mkfs.ext4 -q -F -L rootfs -O ${ext4Features} -d ${tree} ${folder.at('rootfs.ext4')} ${`${rootMiB}M`}`;
  rmSync(tree, { recursive: true });
}

async function packWithOurs(folder: TempFolder, keys: KeySet, programs: string): Promise<string> {
  const output = folder.at('ours.raucb');
  const rootfs = folder.at('rootfs.ext4');
  await packBundle({ rootfs, programs, architecture: 'x64', version: '1.1.0', keys, output });
  return output;
}

async function packWith(folder: TempFolder, keys: KeySet, name: string, hook?: string): Promise<string> {
  const [content, output] = [folder.at(name), folder.at(`${name}.raucb`)];
  mkdirSync(content);
  copyFileSync(folder.at('rootfs.ext4'), join(content, 'rootfs.ext4'));
  if (hook !== undefined) writeFileSync(join(content, 'hook'), hook, { mode: 0o755 });
  writeFileSync(join(content, 'manifest.raucm'), manifestOf(hook !== undefined));
  const signer = ['--cert', keys.certificatePath, '--key', keys.keyPath, '--keyring', keys.keyringPath];
  await run`rauc bundle ${signer} ${'--mksquashfs-args=-comp lz4'} ${content} ${output}`;
  rmSync(content, { recursive: true });
  return output;
}

function manifestOf(hasHook: boolean): string {
  const [program, calls] = hasHook ? ['[hooks]\nfilename=hook\n\n', 'hooks=pre-install\n'] : ['', ''];
  return `[update]
compatible=jetson-nano-homie
version=1.1.0

[bundle]
format=plain

${program}[image.rootfs]
filename=rootfs.ext4
${calls}`;
}

/** The guide's hooks as the lab has them, for a device whose data lies elsewhere. */
function guideHook(device: EmbeddedDevice): string {
  const script = readFileSync(join(project.root, 'test/lab/guide/hook.sh'), 'utf8');
  return script.replaceAll('/data/', `${device.dataFolder}/`);
}
