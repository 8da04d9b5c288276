import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { command } from '../../system/process/command.ts';

const blockBytes = 4096;
const toolMs = 120_000;

/**
 * Writes the zeros of an ext4 journal into its sparse file. A block map leaves out holes, so a card that was used before
 * would keep the last image's journal there: after a power cut ext4 would read on into that journal.
 */
export async function writeOutJournal(image: string): Promise<void> {
  const { stdout } = await command({ deadlineMs: toolMs })`debugfs -R ${'blocks <8>'} ${image}`;
  const blocks = stdout.trim().split(/\s+/).map(Number);
  const zeros = Buffer.alloc(blockBytes);
  const descriptor = openSync(image, 'r+');
  try {
    // The first block is the journal's superblock, which says that the journal is empty.
    for (const block of blocks.slice(1)) writeSync(descriptor, zeros, 0, blockBytes, block * blockBytes);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
