import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from '../../system/exit-code.ts';
import { Failure } from '../../system/failure.ts';
import type { Values } from '../../system/terminal/arguments.ts';
import { print } from '../../system/terminal/print.ts';
import { programVersion } from '../../system/version.ts';
import { changelogFile, releaseNotes } from '../bundle/changelog.ts';
import { project } from '../project.ts';

/** Prints the release notes of this version. Throws a usage Failure for the tag of another version. */
export async function tellNotes(values: Values): Promise<Outcome> {
  const tag = values.text('tag');
  if (tag !== undefined && tag !== `v${programVersion}`) {
    throw new Failure(`Cannot release "${tag}": package.json says version "${programVersion}"`, {
      outcome: 'usage',
    });
  }
  print(1, releaseNotes(readFileSync(join(project.root, changelogFile), 'utf8'), programVersion));
  return 'done';
}
