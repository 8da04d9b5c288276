import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { project } from '../../shared/packaging/project.ts';
import { readTested } from '../support/report/commit.ts';
import { writeReport } from '../support/report/report.ts';

/** `reports/hosts.json`: on which hosts what was typed, and how it ended. Each visit adds its host. */

const triedSchema = v.object({
  line: v.string(),
  exitCode: v.number(),
  isGood: v.boolean(),
  seconds: v.number(),
});

const reportSchema = v.object({
  commit: v.string(),
  hosts: v.record(v.string(), v.array(triedSchema)),
});

export type Tried = v.InferOutput<typeof triedSchema>;
type HostsReport = v.InferOutput<typeof reportSchema>;

/** What other visits have found for the same commit stays. */
export function addHost(name: string, tried: readonly Tried[]): void {
  const { commit, hosts } = readHosts();
  const others = commit === readTested().commit ? hosts : {};
  writeReport('hosts', { hosts: { ...others, [name]: [...tried] } });
}

/** Without a host where there is no report yet. */
export function readHosts(): HostsReport {
  const file = join(project.reports, 'hosts.json');
  const none = { commit: 'unknown', hosts: {} };
  if (!existsSync(file)) return none;
  const read = v.safeParse(reportSchema, JSON.parse(readFileSync(file, 'utf8')));
  return read.success ? read.output : none;
}
