import {
  appendLine,
  copyDurably,
  renameDurably,
  writeDurably,
} from '../../../shared/system/files/durable-file.ts';

/** Does one thing to a file of the folder, for its system calls to be watched. */
const [, , what = '', folder = ''] = process.argv;
const deeds: Record<string, () => void> = {
  write: () => writeDurably(`${folder}/file`, 'content'),
  copy: () => copyDurably(`${folder}/source`, `${folder}/file`, 0o644),
  rename: () => renameDurably(`${folder}/source`, `${folder}/file`),
  append: () => appendLine(`${folder}/file`, 'line'),
};
deeds[what]?.();
