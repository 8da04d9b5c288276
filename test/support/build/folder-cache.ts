import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { oneAtATime } from './one-at-a-time.ts';

export interface WantedFolder {
  /** Where everything of this kind lies. */
  cache: string;
  /** Of all that it is made of. */
  digest: string;
  name: string;
  /** Fills the folder, which may hold what an earlier one has left that was killed. */
  make: (folder: string) => Promise<unknown>;
}

/** How many digests are kept, beside those that a process still uses. */
const mostKept = 4;
const makingMs = 10 * 60_000;

/**
 * The folder, made once and whole or not at all. Everybody reads the same files: who changes one does so in a copy. It
 * stays while a process that has asked for it lives.
 */
export function cachedFolder({ cache, digest, name, make }: WantedFolder): Promise<string> {
  const turn = { what: basename(cache), folder: dirname(cache), deadlineMs: makingMs };
  return oneAtATime(turn, async () => {
    const ofDigest = join(cache, digest);
    const folder = join(ofDigest, name);
    use(ofDigest);
    if (!existsSync(folder)) {
      await make(`${folder}.part`);
      renameSync(`${folder}.part`, folder);
    }
    dropOld(cache);
    return folder;
  });
}

function use(ofDigest: string): void {
  mkdirSync(usersOf(ofDigest), { recursive: true });
  writeFileSync(join(usersOf(ofDigest), String(process.pid)), '');
  const now = new Date();
  utimesSync(ofDigest, now, now);
}

/** Within the lock: all who were told of a folder stand among its users. */
function dropOld(cache: string): void {
  const folders = readdirSync(cache).map((digest) => join(cache, digest));
  const newestFirst = folders.toSorted((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs);
  for (const folder of newestFirst.slice(mostKept))
    if (!isUsed(folder)) rmSync(folder, { recursive: true, force: true });
}

function isUsed(ofDigest: string): boolean {
  const users = usersOf(ofDigest);
  return existsSync(users) && readdirSync(users).some((pid) => existsSync(`/proc/${pid}`));
}

function usersOf(ofDigest: string): string {
  return join(ofDigest, 'users');
}
