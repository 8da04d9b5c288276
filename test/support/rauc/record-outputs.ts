import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EmbeddedDevice } from '../../../shared/packaging/device/running-device.ts';
import { createKeys } from '../../../shared/packaging/pki/keys.ts';
import { command } from '../../../shared/system/process/command.ts';
import { makeParts, makeSmallDevice, type Parts } from '../../packaging/device/device-parts.ts';
import { until } from '../until.ts';
import { OddBundles } from './odd-bundles.ts';
import type { RaucCommand, RaucOutput, RaucOutputs } from './outputs.ts';

/** Makes the RAUC that is first on PATH print each of its answers: with real bundles, and on the embedded device. */

export type Recorded = Record<RaucCommand, RaucOutputs>;

const run = command({ deadlineMs: 120_000, accept: 'any' });

/** Needs root and loop devices. Folders, process ids and times in the outputs are always the same. */
export async function recordOutputs(): Promise<Recorded> {
  const folder = mkdtempSync(join(tmpdir(), 'rauc-outputs-'));
  const parts = await makeParts();
  try {
    const bundles = await OddBundles.in(join(folder, 'bundles'));
    const version = { version: { version: tidy(await run`rauc --version`, folder) } };
    const info = { info: await recordInfo(bundles, folder) };
    const bundle = { bundle: await recordBundle(folder) };
    const onDevice = await recordDevice(parts);
    return { ...version, ...info, ...onDevice, ...bundle };
  } finally {
    rmSync(folder, { recursive: true });
    parts[Symbol.dispose]();
  }
}

async function recordInfo(bundles: OddBundles, folder: string): Promise<RaucOutputs> {
  const conf = (name: string, lines: string): string => {
    const path = join(folder, `${name}.conf`);
    writeFileSync(path, `[system]\ncompatible=jetson-nano-homie\nbootloader=noop\n${lines}`);
    return path;
  };
  const keyring = `[keyring]\npath=${bundles.keys.keyringPath}\n`;
  const usual = conf('system', keyring);
  const info = async (bundle: string, path = usual): Promise<RaucOutput> =>
    tidy(await run`rauc ${`--conf=${path}`} info --output-format=json ${bundle}`, folder);
  const outputs: RaucOutputs = {};
  const all = await bundles.makeAll();
  for (const [name, path] of all) outputs[name] = await info(path);

  const good = all.get('good') ?? '';
  const verity = all.get('good-verity') ?? '';
  outputs['format-not-allowed'] = await info(verity, conf('plain', `bundle-formats=plain\n${keyring}`));
  outputs['no-keyring'] = await info(good, conf('keyless', ''));
  outputs['keyring-missing'] = await info(good, conf('lost', '[keyring]\npath=/nowhere/signature.pem\n'));
  outputs['config-wrong'] = await info(good, conf('wrong', 'colour=red\n'));
  const codeOnly = `[keyring]\npath=${join(bundles.folder, 'code-only.pem')}\n`;
  outputs['wrong-purpose'] = await info(all.get('wrong-purpose') ?? '', conf('purpose', codeOnly));
  const rauc = Bun.which('rauc') ?? 'rauc';
  const toolless = command({ deadlineMs: 60_000, accept: 'any', env: { PATH: '/nowhere' } });
  outputs['no-unsquashfs'] = tidy(
    await toolless`${rauc} ${`--conf=${usual}`} info --output-format=json ${good}`,
    folder,
  );
  return outputs;
}

/** Why `rauc bundle` packs nothing: keys that do not fit, and reasons that are none of the keys. */
async function recordBundle(folder: string): Promise<RaucOutputs> {
  const bundles = await OddBundles.in(join(folder, 'packing'));
  const foreign = await createKeys(join(folder, 'packing-foreign'));
  const { keys } = bundles;
  const pack = async (name: string, options: readonly string[], manifest?: string): Promise<RaucOutput> => {
    const content = bundles.content(manifest ?? '[update]\ncompatible=x\nversion=1.0.0\n');
    const output = join(folder, `${name}.raucb`);
    return tidy(await run`rauc bundle ${options} ${content} ${output}`, folder);
  };
  const certificate = `--cert=${keys.certificatePath}`;
  const key = `--key=${keys.keyPath}`;
  const locked = join(folder, 'locked.pem');
  await run`openssl pkey -in ${keys.keyPath} -aes256 -passout pass:secret -out ${locked}`;
  return {
    packed: await pack('packed', [certificate, key]),
    'other-key': await pack('other-key', [certificate, `--key=${foreign.keyPath}`]),
    'no-key-in-file': await pack('no-key-in-file', [certificate, `--key=${keys.certificatePath}`]),
    'key-missing': await pack('key-missing', [certificate, '--key=/nowhere/key.pem']),
    'certificate-missing': await pack('certificate-missing', ['--cert=/nowhere/cert.pem', key]),
    'other-keyring': await pack('other-keyring', [
      certificate,
      key,
      `--signing-keyring=${foreign.keyringPath}`,
    ]),
    'no-passphrase': await pack('no-passphrase', [certificate, `--key=${locked}`]),
    'no-token': await pack('no-token', [certificate, '--key=pkcs11:token=none']),
    'wrong-mksquashfs-argument': await pack('wrong-mksquashfs-argument', [
      certificate,
      key,
      '--mksquashfs-args=-comp rar',
    ]),
    'image-missing': await pack(
      'image-missing',
      [certificate, key],
      '[update]\ncompatible=x\nversion=1.0.0\n[image.rootfs]\nfilename=lost.ext4\n',
    ),
    'unknown-key': await pack('unknown-key', [certificate, key], '[update]\ncompatible=x\ncolour=red\n'),
    'hook-missing': await pack(
      'hook-missing',
      [certificate, key],
      '[update]\ncompatible=x\nversion=1.0.0\n[hooks]\nfilename=lost\n',
    ),
  };
}

async function recordDevice(
  parts: Parts,
): Promise<Pick<Recorded, 'status' | 'mark' | 'install' | 'last-error'>> {
  const handler = join(parts.folder, 'handler');
  const gate = join(parts.folder, 'gate');
  const verdict = join(parts.folder, 'verdict');
  writeFileSync(verdict, 'exit 10\n');
  writeFileSync(handler, `#!/bin/sh\n. ${verdict}\n`, { mode: 0o755 });
  await using device = await makeSmallDevice(parts, {
    rootfsImage: parts.rootfsImage,
    preInstallHandler: handler,
  });
  device.addService('orchestrator', ['sleep', '1000']);
  const rauc = async (...args: string[]): Promise<RaucOutput> =>
    tidy(await device.rauc(args, { deadlineMs: 60_000 }), device.folder, parts.folder);
  const asked = ['status', '--detailed', '--output-format=json'];
  const status: RaucOutputs = { healthy: await rauc(...asked) };
  const mark: RaucOutputs = {};
  const install: RaucOutputs = {};
  const lastError: RaucOutputs = {};
  const bus = `--address=${device.environment['DBUS_SESSION_BUS_ADDRESS']}`;
  const property = ['de.pengutronix.rauc', '/', 'de.pengutronix.rauc.Installer', 'LastError'];
  // The device's own busctl stands in for systemd only.
  const readLastError = async (): Promise<RaucOutput> =>
    tidy(await run`busctl ${bus} get-property ${property}`, device.folder, parts.folder);
  lastError['none'] = await readLastError();

  await device.setBootVariable('BOOT_B_LEFT', '0');
  status['other-spent'] = await rauc(...asked);
  await device.setBootVariable('BOOT_A_LEFT', '0');
  status['all-spent'] = await rauc(...asked);
  mark['good'] = await rauc('status', 'mark-good', 'booted');
  mark['active'] = await rauc('status', 'mark-active', 'other');
  await device.setBootVariable('BOOT_ORDER', 'A B');

  await withoutEnvironment(device, async () => {
    status['environment-unreadable'] = await rauc(...asked);
    mark['good-environment-unreadable'] = await rauc('status', 'mark-good', 'booted');
    mark['active-environment-unreadable'] = await rauc('status', 'mark-active', 'other');
    writeFileSync(verdict, 'exit 0\n');
    install['environment-unreadable'] = await rauc('install', parts.bundle);
    writeFileSync(verdict, 'exit 10\n');
  });

  install['handler-refuses'] = await rauc('install', parts.bundle);
  lastError['handler-refuses'] = await readLastError();
  install['missing'] = await rauc('install', '/nowhere/missing.raucb');
  const page = join(parts.folder, 'page.raucb');
  writeFileSync(page, '<html>404 Not Found</html>'.repeat(100));
  install['web-page'] = await rauc('install', page);
  lastError['web-page'] = await readLastError();
  const flipped = join(parts.folder, 'flipped.raucb');
  const bytes = readFileSync(parts.bundle);
  bytes.writeUInt8(bytes.readUInt8(2000) ^ 1, 2000);
  writeFileSync(flipped, bytes);
  install['flipped-byte'] = await rauc('install', flipped);
  lastError['flipped-byte'] = await readLastError();

  writeFileSync(verdict, `touch ${gate}.begun\nuntil [ -e ${gate} ]; do sleep 0.02; done\n`);
  const installing = rauc('install', parts.bundle);
  await until(async () => await Bun.file(`${gate}.begun`).exists());
  status['busy'] = await rauc(...asked);
  mark['good-busy'] = await rauc('status', 'mark-good', 'booted');
  mark['active-busy'] = await rauc('status', 'mark-active', 'other');
  install['busy'] = await rauc('install', parts.bundle);
  writeFileSync(gate, '');
  install['done'] = await installing;
  status['installed'] = await rauc(...asked);
  return { status, mark, install, 'last-error': lastError };
}

/** fw_printenv and fw_setenv fail as where /etc/fw_env.config names no device that is there. */
async function withoutEnvironment(device: EmbeddedDevice, work: () => Promise<void>): Promise<void> {
  const config = join(device.folder, 'fw_env.config');
  renameSync(config, `${config}.away`);
  try {
    await work();
  } finally {
    renameSync(`${config}.away`, config);
  }
}

function tidy(end: RaucOutput, ...folders: string[]): RaucOutput {
  const tidied = (text: string): string =>
    folders
      .reduce((left, folder) => left.replaceAll(folder, '/folder'), text)
      .replace(/\b\d\d:\d\d:\d\d\.\d{3}\b/g, '00:00:00.000')
      .replace(/"timestamp":"[^"]*"/g, '"timestamp":"2026-01-02T03:04:05Z"')
      .replace(/\(rauc:\d+\)/g, '(rauc:1)')
      // The service's word comes at no certain place, and not always before the program ends.
      .replace(/^idle\n/gm, '')
      .replace(/[0-9a-f]{64}/g, '0'.repeat(64))
      .replace(/Signature size \(\d+\)/g, 'Signature size (66000)')
      .replace(/^[0-9A-F]{12,16}:error/gm, '000000000000:error')
      .replace(/(content-|sign-|device-)\w+/g, '$1x')
      // GLib's quotes, which depend on the locale, around a temporary folder of RAUC's own.
      .replace(/[“"?]\/[^”"?\s]*\/arch-\w+\/([^”"?\s]*)[”"?]/g, '"/folder/arch-x/$1"');
  return { exitCode: end.exitCode, stdout: tidied(end.stdout), stderr: tidied(end.stderr) };
}

/** The name of a version's folder: `1.8` for RAUC 1.8, `1.15.2` for that one. */
export function shortVersion(version: string): string {
  return version.replace(/\.0$/, '');
}
