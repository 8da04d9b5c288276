import { parseKeyFile, valueIn } from '../../rauc/key-file.ts';
import { Failure } from '../../system/failure.ts';
import { type CommandResult, command } from '../../system/process/command.ts';
import { isVerityWhole } from '../format/verity.ts';
import { mostPlainBytes } from './payload-rules.ts';

/** Long enough to hash a bundle of several GiB from a slow disk. */
const hashDeadlineMs = 30 * 60_000;
const verificationFailed = 4;

/**
 * Why the payload is not the one that was signed; undefined if it is. Checks no chain of certificates: `rauc info` does that.
 * `cms` is the file with the signature, `manifest` the one inside it.
 */
export async function findPayloadDamage(
  path: string,
  payloadBytes: number,
  { cms, manifest }: { cms: string; manifest: string | undefined },
): Promise<string | undefined> {
  // RAUC before 1.15.2 signs only a part of a larger one, and a rule refuses it.
  if (manifest === undefined && payloadBytes > mostPlainBytes) return undefined;
  const verify = [
    'cms',
    '-verify',
    '-noverify',
    '-binary',
    '-inform',
    'DER',
    '-in',
    cms,
    '-out',
    '/dev/null',
  ];
  const openssl = command({ deadlineMs: hashDeadlineMs, accept: 'any' });
  if (manifest === undefined) {
    // Not /dev/stdin, which not every container has.
    const content = '/proc/self/fd/0';
    const end = await openssl`head -c ${payloadBytes} ${path} | openssl ${verify} -content ${content}`;
    return isVerified(path, end)
      ? undefined
      : 'its content is not what was signed: bytes have changed since then';
  }
  if (!isVerified(path, await openssl`openssl ${verify}`))
    return 'the manifest in its signature is not what was signed';
  return findTreeDamage(path, payloadBytes, manifest);
}

/** By the exit codes of openssl-cms(1). Throws a Failure where it could not tell. */
function isVerified(path: string, { exitCode, stderr }: CommandResult): boolean {
  if (exitCode === 0) return true;
  if (exitCode === verificationFailed) return false;
  throw new Failure(`Cannot check the content of "${path}": "openssl" ended with ${exitCode}`, {
    cause: stderr.trim(),
  });
}

function findTreeDamage(path: string, payloadBytes: number, manifest: string): string | undefined {
  const file = parseKeyFile(manifest);
  const treeBytes = Number(valueIn(file, 'bundle', 'verity-size'));
  const rootHash = valueIn(file, 'bundle', 'verity-hash');
  const salt = valueIn(file, 'bundle', 'verity-salt');
  if (rootHash === undefined || salt === undefined || !(treeBytes > 0 && treeBytes < payloadBytes))
    return 'the manifest in its signature names no hash tree (verity-hash, verity-salt, verity-size)';
  const isWhole = isVerityWhole(path, { dataBytes: payloadBytes - treeBytes, rootHash, salt, treeBytes });
  return isWhole
    ? undefined
    : 'its content does not have the signed verity-hash: bytes have changed since then';
}
