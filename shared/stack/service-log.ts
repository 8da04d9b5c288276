import { calling } from './compose-call.ts';
import { composeLabel } from './container.ts';

const askMs = 30_000;
const mostLines = 500;

/** The last whole lines that the service's containers wrote, stopped ones too, of at most so many bytes. */
export async function readLogTail(
  project: string,
  service: string,
  bytes: number,
  signal?: AbortSignal,
): Promise<string> {
  const docker = calling(`read the log of service "${service}"`, { deadlineMs: askMs, signal });
  const labels = [`${composeLabel.project}=${project}`, `${composeLabel.service}=${service}`];
  const filters = labels.map((label) => `--filter=label=${label}`);
  const { stdout } = await docker`docker ps --all --quiet ${filters}`;
  const logs: string[] = [];
  for (const id of stdout
    .split('\n')
    .filter((line) => line !== '')
    .reverse())
    logs.push((await docker`docker logs --tail=${mostLines} ${id} 2>&1`).stdout);
  return lastLines(logs.join(''), bytes);
}

export function lastLines(text: string, bytes: number): string {
  const all = Buffer.from(text);
  if (all.length <= bytes) return text;
  // A line that the limit cuts is left out; a last line longer than the limit is cut.
  const tail = all.subarray(all.length - bytes - 1);
  const end = tail.indexOf('\n');
  return tail.subarray(end < 0 || end === tail.length - 1 ? 1 : end + 1).toString();
}
