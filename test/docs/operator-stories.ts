import { createHash } from 'node:crypto';
import { advance } from '../../shared/update/transaction/transaction.ts';
import { closeTransaction, writeTransaction } from '../support/scene/by-hand.ts';
import { statusJson } from '../support/scene/rauc-status.ts';
import { Scene } from '../support/scene/scene.ts';
import { transactionAt } from '../support/scene/transactions.ts';

/** The commands of docs/operator.md, each with the device that it is asked on. */

export interface Story {
  /** As a person types it. */
  line: string;
  arrange?: (scene: Scene) => void | Promise<void>;
  exitCode?: number;
}

const later = { at: new Date('2026-01-02T03:09:11Z'), bootId: 'this-boot' };
const reason = 'version "1.1.0" is not healthy: http: 500 from "http://localhost:8080/health"';

/** A device that has run for a while: slot A is booted, and nothing is under way. */
function furnish(scene: Scene): void {
  scene.usual['reboot'] = 'no';
  scene.configure({ reserve_mib: 0 });
  scene.write('root/etc/rauc/system.conf', '[system]\ncompatible=jetson-nano-homie\n');
  scene.write('root/usr/lib/homie/release', 'VERSION=1.0.0\n');
  scene.write('rauc-info.json', '{"compatible":"jetson-nano-homie","version":"1.1.0"}');
  scene.write('rauc-status.json', statusJson({ booted: 'rootfs.0' }));
  scene.write('rauc-install.sh', 'echo "  0% Installing"; echo " 90% Copying image to rootfs.1"');
  scene.write('stick/homie-orchestrator-v1.1.0.raucb', 'a bundle');
}

function rollBack(scene: Scene): void {
  const stackLogs = scene.at('data/update/logs/the-id');
  scene.write('data/update/logs/the-id/core.log', 'no database\n');
  const rolledBack = advance(transactionAt('trial'), 'rolled-back', later, reason);
  closeTransaction(scene.places, { ...rolledBack, stackLogs });
  scene.write(
    'data/logs/update.log',
    `2026-01-02T03:04:30.000Z post-activate: Waiting until version "1.1.0" is healthy\n2026-01-02T03:09:11.000Z post-activate: Rolling back: ${reason}\n`,
  );
}

function haveInstalled(scene: Scene): void {
  writeTransaction(scene.places, transactionAt('installed'));
  scene.write('rauc-status.json', statusJson({ booted: 'rootfs.0', primary: 'rootfs.1' }));
}

async function saveConfig(scene: Scene): Promise<void> {
  await scene.run(['update.sh', 'backup', '--config-only']);
  scene.write('data/config/settings.json', '{"spoilt": true}\n');
}

function saveBackups(scene: Scene): void {
  const name = 'pre-migrate-1.0.0-1.1.0-20260102T030405Z.dump';
  scene.write(`data/backups/${name}`, 'rows');
  const sum = createHash('sha256').update('rows').digest('hex');
  scene.write(`data/backups/${name}.sha256`, `${sum}  ${name}\n`);
  scene.write('data/backups/pre-update-1.0.0-1.1.0-20260102T030301Z.tar.zst', 'torn');
}

export const stories: readonly Story[] = [
  { line: 'update.sh status' },
  { line: 'update.sh doctor', exitCode: 1 },
  { line: 'update.sh check' },
  { line: 'update.sh install /media/stick --dry-run' },
  { line: 'update.sh /media/stick', exitCode: 4 },
  {
    line: 'update.sh install /media/stick',
    arrange: (scene) => void scene.write('data/update/inhibit', 'guests until Sunday\n'),
    exitCode: 14,
  },
  { line: 'update.sh why', arrange: rollBack },
  { line: 'update.sh history', arrange: rollBack },
  { line: 'update.sh log --lines 2', arrange: rollBack },
  { line: 'update.sh cancel --yes', arrange: haveInstalled },
  { line: 'update.sh rollback --dry-run' },
  { line: 'update.sh rollback --yes', exitCode: 4 },
  { line: 'update.sh mark-good' },
  { line: 'update.sh backup --config-only' },
  { line: 'update.sh restore --list', arrange: saveBackups },
  { line: 'update.sh restore --config-only --yes', arrange: saveConfig },
  {
    line: 'update.sh repair --yes',
    arrange: (scene) => void scene.write('data/update/transaction.json.1.part', ''),
  },
];

/** A server that has version 1.1.0, and says so beside it. */
function serveBundle(): Bun.Server<undefined> {
  return Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: ({ url }) =>
      url.endsWith('/latest.json')
        ? Response.json({ version: '1.1.0', compatible: 'jetson-nano-homie', description: 'Scenes by voice' })
        : new Response('a bundle', { headers: { etag: '"one"' } }),
  });
}

/** What the story says, told on a device of its own, as the document shows it: our paths and times in place of this run's. */
export async function tellStory({ line, arrange }: Story): Promise<{ text: string; exitCode: number }> {
  using server = serveBundle();
  using scene = new Scene();
  furnish(scene);
  scene.configure({ reserve_mib: 0, url: `${server.url.href}latest.raucb` });
  await arrange?.(scene);
  const words = line.replaceAll('/media/stick', scene.at('stick')).split(' ');
  const { stdout, stderr, exitCode } = await scene.run(words);
  const text = `${stderr}${stdout}`
    .replaceAll(scene.at('stick'), '/media/stick')
    .replaceAll(scene.at('root'), '')
    .replaceAll(`${scene.path}/`, '/')
    .replaceAll(server.url.href, 'https://updates.example/')
    .replace(/(?<=Saved .*)\(\d+ B\)/, '(404 B)')
    .replace(/20\d{6}T\d{6}Z/g, '20260102T030405Z');
  return { text: text.trimEnd(), exitCode };
}
