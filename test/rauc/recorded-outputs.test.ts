import { beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { raucVersion } from '../../shared/packaging/format/rauc-version.ts';
import { hasLoopDevices } from '../support/privileges.ts';
import {
  type RaucCommand,
  type RaucOutputs,
  raucCommands,
  recordedOutputs,
  recordedVersions,
} from '../support/rauc/outputs.ts';
import { type Recorded, recordOutputs, shortVersion } from '../support/rauc/record-outputs.ts';

const version = hasLoopDevices ? shortVersion(await raucVersion()) : '';

/**
 * Other tests hold our parsers against the fixtures; this one holds the fixtures against the RAUC of this machine. The
 * tools and libraries that it uses print with it: the outputs are the same only with those of the recording.
 */
const isRecorded =
  recordedVersions().includes(version) &&
  suiteOfHost() === 'bookworm' &&
  Bun.which('rauc') === '/usr/bin/rauc';
const known = describe.skipIf(!hasLoopDevices);
known('test/fixtures/rauc', () => {
  let printed: Recorded;
  beforeAll(async () => {
    printed = await recordOutputs();
  }, 120_000);

  test.each<RaucCommand>([...raucCommands])(
    'holds what the RAUC of this machine prints for "%s", or another version prints as much',
    (command) => {
      if (isRecorded)
        expect(withoutSourceLines(recordedOutputs(version, command))).toEqual(
          withoutSourceLines(printed[command]),
        );
      else expect(Object.keys(printed[command])).toEqual(Object.keys(recordedOutputs('1.8', command)));
    },
  );
});

function suiteOfHost(): string | undefined {
  return /^VERSION_CODENAME=(\w+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
}

/** OpenSSL names the line of its source with each error: another with each security update. */
function withoutSourceLines(outputs: RaucOutputs): unknown {
  return JSON.parse(JSON.stringify(outputs).replace(/(\.c):\d+:/g, '$1:'));
}
