import { createHash } from 'node:crypto';
import { createReadStream, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { plainReason } from '../../rauc/bundle-refusal.ts';
import { parseInfo, raucReason } from '../../rauc/info.ts';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure, isMissing } from '../../system/failure.ts';
import { CommandFailure, command } from '../../system/process/command.ts';
import type { Running } from '../../system/process/program.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import { print } from '../../system/terminal/print.ts';
import { readBasicAuth } from '../../transfer/request/credentials.ts';
import { Hawkbit } from '../bundle/hawkbit.ts';
import { project } from '../project.ts';

const publishMs = 7 * 60 * 60_000;
const infoMs = 5 * 60_000;

/** Creates module, file, metadata and distribution set if they are missing: the next run resumes an interrupted one. */
export async function publish(values: Values, { log, signal, allow }: Running): Promise<Outcome> {
  const url = addressIn(values);
  const userFile = values.text('user-file');
  if (userFile === undefined) throw usage('--user-file is not given');
  const authorization = `Basic ${readBasicAuth(userFile, '--user-file')}`;
  allow(publishMs);
  const file = values.text('bundle') ?? onlyBundleIn(join(project.root, 'dist'));
  const { compatible, version } = await factsOf(file, signal);
  const wish = { name: values.text('name') ?? compatible, version };
  const sha256 = await sha256Of(file);

  const server = new Hawkbit(url, authorization, signal);
  const moduleId = await server.module(wish, `RAUC bundle for ${compatible}`);
  const name = basename(file);
  const there = await server.artifacts(moduleId);
  const known = there.get(name);
  if (known !== undefined && known !== sha256)
    throw new Failure(`Cannot publish "${file}": version "${version}" is there already, with other bytes`, {
      advice: 'What is published stays as it is: give it a new version',
    });
  if (known === undefined && there.size > 0)
    throw new Failure(
      `Cannot publish "${file}": version "${version}" is there already, as "${[...there.keys()].join('", "')}"`,
      { advice: 'What is published stays as it is: give it a new version' },
    );
  if (known === undefined)
    await log.step('Uploading', 'Uploaded', `"${file}"`, () => server.upload(moduleId, file, name));
  else log.info(`"${name}" is there already`);
  await server.addMetadata(moduleId, { compatible, version, sha256 });
  const set = await server.distributionSet(wish, moduleId);
  print(1, `${wish.name} ${version}: distribution set ${set}, software module ${moduleId}\n`);
  return 'done';
}

function addressIn(values: Values): string {
  const url = values.text('hawkbit');
  if (url === undefined) throw usage('--hawkbit is not given');
  if (URL.parse(url) === null || !/^https?:\/\/[^@/]+(\/|$)/.test(url))
    throw usage(`--hawkbit "${url}" is no URL without a user in it`);
  return url;
}

function usage(reason: string): Failure {
  return new Failure(`Cannot publish: ${reason}`, {
    outcome: 'usage',
    advice: 'See bun build.ts publish --help',
  });
}

function onlyBundleIn(folder: string): string {
  const names = namesIn(folder).filter((name) => name.endsWith('.raucb'));
  const [name, ...others] = names;
  if (name === undefined || others.length > 0)
    throw usage(`there ${name === undefined ? 'is no bundle' : 'are several bundles'} in dist/: name one`);
  return join(folder, name);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Does not verify the signature: the devices do. */
async function factsOf(file: string, signal: AbortSignal): Promise<{ compatible: string; version: string }> {
  const run = command({ deadlineMs: infoMs, signal });
  const { stdout } = await run`rauc info --no-verify --output-format=json ${file}`.catch((error: unknown) => {
    if (!(error instanceof CommandFailure) || error.stderr === '') throw error;
    throw new Failure(`Cannot publish "${file}": ${plainReason(raucReason(error))}`, { cause: error });
  });
  const { compatible, version } = parseInfo(stdout, file);
  if (version === undefined) throw new Failure(`Cannot publish "${file}": it has no version`);
  return { compatible, version };
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) hash.update(chunk);
  return hash.digest('hex');
}
