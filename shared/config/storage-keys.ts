import { join } from 'node:path';
import { key } from './key.ts';
import { absolutePath } from './values.ts';

/** The keys of `orchestrator.storage` that the updater reads; the orchestrator has more of its own there. */
export const storageKeys = {
  data_path: key(
    'the data partition; the two below default to folders in it',
    absolutePath,
    ({ data }) => data,
  ),
  config_path: key('what is backed up before an update', absolutePath, ({ data }) => join(data, 'config')),
  backup_path: key(
    'where backups go, each with its `.sha256`; not inside `config_path`',
    absolutePath,
    ({ data }) => join(data, 'backups'),
  ),
};
