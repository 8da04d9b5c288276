import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EmbeddedDevice } from '../../shared/packaging/device/running-device.ts';
import { makeParts, makeSmallDevice, type Parts } from '../packaging/device/device-parts.ts';
import { nativeHook } from '../support/build/native-programs.ts';
import { hasLoopDevices } from '../support/privileges.ts';

/** system-check as the handler of the unmodified RAUC: the bundle's own hooks have no minimum version. */
describe.skipIf(!hasLoopDevices)('system-check, called by a real RAUC', () => {
  let parts: Parts;
  let device: EmbeddedDevice;
  beforeAll(async () => {
    parts = await makeParts();
    const handler = join(parts.folder, 'handler');
    const name = '/usr/lib/homie/update-hooks/system-check';
    const run = `exec -a ${name} ${nativeHook} "$@"`;
    writeFileSync(handler, `#!/bin/bash\nprintf '%s|' $# "$@" >>"$HOMIE_DATA/handler-arguments"\n${run}\n`, {
      mode: 0o755,
    });
    device = await makeSmallDevice(parts, { rootfsImage: parts.rootfsImage, preInstallHandler: handler });
    device.addService('orchestrator', ['sleep', '1000']);
  }, 60_000);
  afterAll(async () => {
    await device[Symbol.asyncDispose]();
    parts[Symbol.dispose]();
  });
  beforeEach(() => mkdirSync(join(device.dataFolder, 'config'), { recursive: true }));

  async function install(versionFloor: string) {
    const config = join(device.dataFolder, 'config/orchestrator.yaml');
    writeFileSync(config, `update:\n  version_floor: "${versionFloor}"\n`);
    const { exitCode, stdout } = await device.rauc(['install', parts.bundle], { deadlineMs: 60_000 });
    return { exitCode, stdout, hooks: hooksThatRan() };
  }

  function hooksThatRan(): string[] {
    const log = Bun.spawnSync(['cat', join(device.dataFolder, 'logs/hook.log')]).stdout.toString();
    return log.split('\n').flatMap((line) => line.split(' ')[0] || []);
  }

  test('refuses an older bundle before any of its hooks runs, with the reason in its log, and touches no slot', async () => {
    const before = await device.bootEnvironment();
    const { exitCode, stdout, hooks } = await install('1.2.0');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('LastError: Pre-install handler error: Child process exited with code 10');
    const log = readFileSync(join(device.folder, 'rauc.log'), 'utf8');
    expect(log).toContain(
      'Cannot install version "1.1.0": version 1.1.0 is older than the minimum version 1.2.0',
    );
    expect(hooks).toEqual([]);
    expect(await device.bootEnvironment()).toEqual(before);
    // What the choice of arguments in choose-program.ts rests on: RAUC 1.8 gives an empty one, newer ones give none.
    expect(readFileSync(join(device.dataFolder, 'handler-arguments'), 'utf8')).toBeOneOf(['1||', '0|']);
  });

  test('accepts the same bundle when the minimum version is not higher', async () => {
    const { exitCode, hooks } = await install('1.1.0');
    expect(exitCode).toBe(0);
    expect(hooks).toEqual(['install-check', 'slot-pre-install', 'slot-post-install']);
  });
});
