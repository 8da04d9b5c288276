import { join } from 'node:path';
import { reasonOf } from '../../system/failure.ts';
import { makeFolder, writeDurably } from '../../system/files/durable-file.ts';
import { updateFolderOf } from '../../system/places.ts';
import { findStack } from '../data/stack.ts';
import type { Device } from '../transaction/device.ts';
import type { TransactionWriter } from '../transaction/transaction-writer.ts';

const bytesPerService = 10 * 1024;

/** Keeps the last lines of every service beside the transaction: after the reboot they would be gone. */
export async function keepStackLogs(
  record: TransactionWriter,
  { places, config, log, signal }: Device,
): Promise<void> {
  try {
    const stack = await findStack(places.root, places.data, config, signal);
    if (stack === undefined) return;
    const folder = join(updateFolderOf(places), 'logs', record.transaction.id);
    makeFolder(folder);
    for (const { name } of stack.compose.services()) {
      writeDurably(join(folder, `${name}.log`), await stack.compose.logTail(name, bytesPerService));
    }
    record.note({ stackLogs: folder });
    log.info(`The last lines of the stack are kept in "${folder}"`);
  } catch (error) {
    signal.throwIfAborted();
    log.warn(`Cannot keep the logs of the stack: ${reasonOf(error)}`);
  }
}
