import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { readConfigText } from '../../../shared/config/config-schema.ts';
import { project } from '../../../shared/packaging/project.ts';
import { layOver } from '../../../shared/packaging/root/overlay.ts';
import { command } from '../../../shared/system/process/command.ts';
import { mayMount } from '../../support/privileges.ts';
import { fakeTool } from '../../support/scene/fake-tool.ts';
import { treeOf } from '../../support/scene/scene.ts';
import { TempFolder } from '../../support/temp-folder.ts';

const overlay = join(project.skeleton, 'device');
const hasSystemd = Bun.which('systemd-analyze') !== null;

let folder: TempFolder;
beforeEach(() => {
  folder = new TempFolder();
});
afterEach(() => folder[Symbol.dispose]());

const run = command({ deadlineMs: 30_000, accept: 'any' });

describe('the overlay of every device', () => {
  test.skipIf(!hasSystemd)('has units that systemd finds no fault with', async () => {
    cpSync(join(project.skeleton, 'rootfs'), folder.at('root'), { recursive: true });
    cpSync(overlay, folder.at('root'), { recursive: true });
    for (const name of ['sysinit', 'basic', 'shutdown', 'umount'])
      folder.write(`root/usr/lib/systemd/system/${name}.target`, '[Unit]\nDefaultDependencies=no\n');
    for (const name of ['docker', 'rauc', 'ssh', 'systemd-networkd-wait-online'])
      folder.write(`root/usr/lib/systemd/system/${name}.service`, '[Service]\nExecStart=/bin/true\n');
    folder.write('root/bin/true', '', 0o755);
    const tools = [
      'usr/bin/env',
      'usr/bin/ssh-keygen',
      'usr/sbin/sshd',
      'usr/lib/systemd/systemd-networkd-wait-online',
    ];
    for (const tool of tools) folder.write(`root/${tool}`, '', 0o755);
    folder.write('root/usr/lib/homie/update-hooks/post-activate', '', 0o755);
    const units = [
      'homie-data.service',
      'homie-grow-data.service',
      'var-log-journal.mount',
      'docker.service',
      'rauc.service',
    ];
    const more = ['homie-orchestrator', 'ssh', 'systemd-networkd-wait-online'];
    const all = [...units, ...more.map((name) => `${name}.service`)];
    const verified = await run`systemd-analyze verify --man=no --root=${folder.at('root')} ${all}`;
    expect(verified).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  test('has a default config that our programs take, with the paths of the guide', () => {
    const path = join(overlay, 'usr/share/homie/orchestrator.yaml');
    const text = folder.read(relativeTo(path));
    expect(readConfigText(text, path).storage).toEqual({
      data_path: '/data',
      config_path: '/data/config',
      backup_path: '/data/backups',
    });
  });

  test('names no disk, only partition labels', () => {
    const files = readdirSync(overlay, { recursive: true, encoding: 'utf8' });
    const texts = files.filter((name) => lstatSync(join(overlay, name)).isFile());
    for (const name of texts)
      expect(Bun.spawnSync(['grep', '-l', 'mmcblk', join(overlay, name)]).exitCode).toBe(1);
    expect(texts.length).toBeGreaterThan(10);
  });
});

describe.skipIf(!mayMount)('make-data-tree', () => {
  const script = join(overlay, 'usr/lib/homie/make-data-tree');
  const guides = ['postgres', 'redis', 'core', 'config', 'config/core', 'logs', 'backups'];
  const ours = ['update', 'rauc', 'docker', 'journal'];

  async function make() {
    mkdirSync(folder.at('data'), { recursive: true });
    const env = { HOMIE_DATA: folder.at('data'), HOMIE_DEFAULTS: join(overlay, 'usr/share/homie') };
    return await command({ deadlineMs: 30_000, accept: 'any', env })`sh ${script}`;
  }

  test('makes the folders of the guide and of the system, each with its owner, and the default files', async () => {
    const { exitCode, stderr } = await make();
    expect([exitCode, stderr]).toEqual([0, '']);
    const owner = (name: string): string => {
      const { uid, gid } = lstatSync(folder.at('data', name));
      return `${uid}:${gid}`;
    };
    expect(guides.map(owner)).toEqual(guides.map(() => '1000:1000'));
    expect(ours.map(owner)).toEqual(ours.map(() => '0:0'));
    for (const name of ['orchestrator.yaml', 'docker-compose.yml'])
      expect(folder.read(`data/config/${name}`)).toBe(
        folder.read(relativeTo(join(overlay, 'usr/share/homie', name))),
      );
    const names = readdirSync(folder.at('data'), { recursive: true, encoding: 'utf8' });
    expect(names.filter((name) => name.includes('.part'))).toEqual([]);
  });

  test('changes nothing when it is run again', async () => {
    await make();
    const before = treeOf(folder.at('data'));
    expect(await make()).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(treeOf(folder.at('data'))).toEqual(before);
  });

  test('leaves alone what is there: files, links, owners and modes', async () => {
    folder.write('data/config/orchestrator.yaml', 'update:\n  version_floor: "9.9.9"\n', 0o600);
    mkdirSync(folder.at('data/postgres'));
    chmodSync(folder.at('data/postgres'), 0o700);
    symlinkSync('/nowhere', folder.at('data/config/docker-compose.yml'));
    expect((await make()).exitCode).toBe(0);
    expect(folder.read('data/config/orchestrator.yaml')).toContain('9.9.9');
    expect(lstatSync(folder.at('data/postgres')).mode & 0o7777).toBe(0o700);
    expect(lstatSync(folder.at('data/postgres')).uid).toBe(0);
    expect(lstatSync(folder.at('data/config/docker-compose.yml')).isSymbolicLink()).toBe(true);
  });

  test('resumes after a power cut that left a half made folder and file', async () => {
    mkdirSync(folder.at('data/config'), { recursive: true });
    folder.write('data/.rauc.part/inside', 'half');
    folder.write('data/config/.orchestrator.yaml.part', 'orch');
    expect((await make()).exitCode).toBe(0);
    expect(existsSync(folder.at('data/.rauc.part'))).toBe(false);
    expect(folder.read('data/config/orchestrator.yaml')).toContain('data_path: "/data"');
  });

  test('fails, and makes nothing, where the data partition is not mounted', async () => {
    const ended = await command({
      deadlineMs: 30_000,
      accept: 'any',
      env: { HOMIE_DATA: undefined },
    })`sh ${script}`;
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toBe('Cannot make the folders of the data partition: "/data" is not mounted\n');
    expect(existsSync('/data/postgres')).toBe(false);
  });
});

describe('grow-data', () => {
  /** As sysfs shows a partition: a link into the folder of its disk. growpart is a stand-in that answers as told. */
  async function grow(exitCode: number, name = 'mmcblk9p4') {
    folder.write('devices/mmcblk9/mmcblk9p4/partition', '4\n');
    mkdirSync(folder.at('class'), { recursive: true });
    symlinkSync(folder.at('devices/mmcblk9/mmcblk9p4'), folder.at('class/mmcblk9p4'));
    symlinkSync(`/dev/${name}`, folder.at('link'));
    const PATH = fakeTool(
      folder,
      'growpart',
      `echo "$*" >>${folder.at('calls')}; echo words; exit ${exitCode}`,
    );
    const env = { PATH, HOMIE_SYS: folder.at('class'), HOMIE_DATA_LINK: folder.at('link') };
    const script = join(overlay, 'usr/lib/homie/grow-data');
    return await command({ deadlineMs: 30_000, accept: 'any', env })`sh ${script}`;
  }

  test('lets growpart grow the partition of that label on its disk, and says so', async () => {
    expect(await grow(0)).toEqual({ exitCode: 0, stdout: 'Grew "mmcblk9p4": words\n', stderr: '' });
    expect(folder.read('calls')).toBe('/dev/mmcblk9 4\n');
  });

  test('is content, and silent, where there is nothing to grow', async () => {
    expect(await grow(1)).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  test('fails with the reason of growpart, or where the label is that of no partition', async () => {
    const failed = await grow(2);
    expect([failed.exitCode, failed.stderr]).toEqual([
      1,
      'Cannot grow the data partition "mmcblk9p4": words\n',
    ]);
    rmSync(folder.path, { recursive: true });
    const foreign = await grow(0, 'sdz');
    expect([foreign.exitCode, foreign.stderr]).toEqual([
      1,
      'Cannot grow the data partition: "sdz" is no partition\n',
    ]);
    expect(existsSync(folder.at('calls'))).toBe(false);
  });
});

describe.skipIf(!mayMount)('layOver()', () => {
  test('gives all to root with plain modes, and stays in the tree where links lead out', () => {
    folder.write('source/etc/plain', 'a', 0o600);
    folder.write('source/etc/program', 'b', 0o700);
    folder.write('source/.git/config', 'c');
    folder.write('source/lib/x', 'd');
    Bun.spawnSync(['chown', '-R', '12345:12345', folder.at('source')]);
    mkdirSync(folder.at('tree/usr/lib'), { recursive: true });
    symlinkSync('/usr/lib', folder.at('tree/lib'));
    symlinkSync(folder.at('outside'), folder.at('tree/etc'));
    layOver(folder.at('tree'), folder.at('source'));
    expect(existsSync(folder.at('outside'))).toBe(false);
    expect(existsSync(folder.at('tree/.git'))).toBe(false);
    expect(folder.read('tree/usr/lib/x')).toBe('d');
    const inside = `tree${folder.at('outside')}`;
    const modes = ['plain', 'program'].map((name) => lstatSync(folder.at(inside, name)));
    expect(modes.map(({ mode }) => mode & 0o7777)).toEqual([0o644, 0o755]);
    expect(modes.map(({ uid, gid }) => uid + gid)).toEqual([0, 0]);
  });
});

function relativeTo(path: string): string {
  return join(...Array(folder.path.split('/').length - 1).fill('..'), path);
}
