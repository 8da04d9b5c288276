import { describe, expect, test } from 'bun:test';
import { raucVersion as fleetVersion } from '../../shared/fleet/device-facts.ts';
import { raucVersion } from '../../shared/packaging/format/rauc-version.ts';
import { allOutputs } from '../support/rauc/outputs.ts';
import { shortVersion } from '../support/rauc/record-outputs.ts';
import { Scene } from '../support/scene/scene.ts';

describe('the version of what real RAUCs printed', () => {
  test.each(allOutputs('version'))(
    'is $version, for the build and for the fleet',
    async ({ version, output }) => {
      using scene = new Scene();
      scene.write('stdout', output.stdout);
      scene.fake('rauc', 'cat stdout');
      const { signal } = new AbortController();
      const found = await scene.withTools(async () => [
        shortVersion(await raucVersion()),
        await fleetVersion(signal),
      ]);
      expect(found).toEqual([version, version]);
    },
  );
});
