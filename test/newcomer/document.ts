import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../shared/packaging/project.ts';
import { readHosts, type Tried } from './hosts-report.ts';

/** `npm run test:newcomer -- document` writes the table of docs/hosts.md from `reports/hosts.json`. */

const begin = '<!-- hosts: written by npm run test:newcomer -- document -->';
const end = '<!-- end of hosts -->';

export function documentHosts(): void {
  const file = join(project.root, 'docs/hosts.md');
  const text = readFileSync(file, 'utf8');
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`no table in ${file}`);
  const { commit, hosts } = readHosts();
  const rows = Object.entries(hosts).flatMap(([host, tried]) => tried.map((one) => rowOf(host, one)));
  const table = ['| host | typed | ended | took |', '| --- | --- | --- | --- |', ...rows].join('\n');
  writeFileSync(file, `${before}${begin}\n${table}\n\nOf commit ${commit.slice(0, 12)}.\n${end}${after}`);
}

function rowOf(host: string, { line, exitCode, isGood, seconds }: Tried): string {
  const ended = `${exitCode}${isGood ? (exitCode === 0 ? '' : ', as it should') : ', **failed**'}`;
  return `| ${host} | \`${line}\` | ${ended} | ${seconds} s |`;
}
