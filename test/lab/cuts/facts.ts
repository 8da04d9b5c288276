import type { Board } from '../board/board.ts';
import { type BoardData, dataIn, dataQuestions } from '../board/data.ts';
import { fullAttempts, well } from '../board/update.ts';
import { factoryVersion } from '../images/card-image.ts';

/** What a board is found with after a cut, asked with small tools: our own programs take seconds in emulation. */
export interface Facts extends BoardData {
  slot: string;
  order: string;
  leftOfA: string;
  leftOfB: string;
  version: string;
  health: string;
  /** Units that have failed. */
  failed: string;
  /** Names in the updater's folder, backups counted: what an update has left. */
  left: string;
  /** The transaction, as it lies on /data. */
  transaction: { isClosed: boolean; steps: readonly { state: string; bootId: string }[] } | undefined;
}

const questions: Record<Exclude<keyof Facts, 'transaction'>, string> = {
  slot: "sed -n 's/.*rauc.slot=\\([AB]\\).*/\\1/p' /proc/cmdline",
  order: 'fw_printenv -n BOOT_ORDER',
  leftOfA: 'fw_printenv -n BOOT_A_LEFT',
  leftOfB: 'fw_printenv -n BOOT_B_LEFT',
  version: "sed -n 's/^VERSION=//p' /usr/lib/homie/release",
  ...dataQuestions,
  health: `bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080; printf "GET /health HTTP/1.0\\r\\n\\r\\n" >&3; head -n 1 <&3'`,
  failed: "systemctl list-units --failed --no-legend --plain | cut -d' ' -f1",
  left: 'cd /data; ls -A update update/download',
};

/** Asks all in one command. */
export async function factsOf(board: Board): Promise<Facts> {
  const asked = Object.entries(questions).map(
    ([name, question]) => `echo "${name}=$( (${question}) 2>/dev/null | tr '\\n\\r' '  ')"`,
  );
  const output = await board.run(
    `${asked.join('; ')}; echo "transaction=$(tr -d '\\n' </data/update/transaction.json 2>/dev/null)"`,
  );
  const found = new Map(
    output.split('\n').map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1).trim()];
    }),
  );
  const of = (name: string): string => found.get(name) ?? '';
  const transaction = of('transaction');
  return {
    slot: of('slot'),
    order: of('order'),
    leftOfA: of('leftOfA'),
    leftOfB: of('leftOfB'),
    version: of('version'),
    notes: of('notes'),
    schema: of('schema'),
    rows: of('rows'),
    file: of('file'),
    health: of('health'),
    failed: of('failed'),
    left: of('left'),
    transaction: transaction === '' ? undefined : JSON.parse(transaction),
  };
}

/** The system before or after the update, whole; else what is wrong, in words. */
export function judgeEnd(
  facts: Facts,
  updated: { version: string; schema: string },
): 'before' | 'after' | string {
  const isBefore = facts.version === factoryVersion;
  const should = isBefore
    ? { slot: 'A', version: factoryVersion, ...dataIn('1') }
    : { slot: 'B', version: updated.version, ...dataIn(updated.schema) };
  const left = facts.slot === 'A' ? facts.leftOfA : facts.leftOfB;
  const wrong = [
    facts.slot === should.slot ? '' : `slot ${facts.slot} runs version ${facts.version}`,
    facts.version === should.version ? '' : `version ${facts.version}`,
    facts.schema === should.schema
      ? ''
      : `the data has schema ${facts.schema}, version ${facts.version} ${should.schema}`,
    facts.notes === should.notes ? '' : `the notes are "${facts.notes}"`,
    facts.rows === should.rows ? '' : `the rows are "${facts.rows}"`,
    facts.file === should.file ? '' : `the file of redis has "${facts.file}"`,
    facts.health === well ? '' : `/health says "${facts.health}"`,
    facts.order.startsWith(facts.slot) ? '' : `the boot order is "${facts.order}" in slot ${facts.slot}`,
    left === fullAttempts ? '' : `${left} attempts are left`,
    facts.failed === '' ? '' : `failed: ${facts.failed}`,
    facts.transaction?.isClosed === false ? `the update is still ${stateOf(facts)}` : '',
  ].filter((text) => text !== '');
  if (wrong.length > 0) return wrong.join('; ');
  return isBefore ? 'before' : 'after';
}

export function stateOf({ transaction }: Facts): string {
  return transaction?.steps.at(-1)?.state ?? 'none';
}

/** All that the next update could find otherwise; two boards with the same are in the same state to it. */
export function outcomeOf(facts: Facts): string {
  const { slot, order, leftOfA, leftOfB, left } = facts;
  const names = left.replaceAll(/[\da-fTZ-]{8,}/g, '#');
  return `slot ${slot}, order ${order}, attempts ${leftOfA}/${leftOfB}, ${stateOf(facts)}, ${names}`;
}

const marks: readonly [string, string][] = [
  ['reboot: Restarting system', 'reset'],
  ['U-Boot 20', 'U-Boot'],
  ['Booting Linux on physical CPU', 'kernel'],
  ['Welcome to ', 'services starting'],
  ['homie login:', 'running'],
  ['Stopped target ', 'shutdown'],
];

/** Where a board was when its power was cut: how far its boot or its shutdown, and its update, had come. */
export function placeOf(console: string, state: string): string {
  const latest = marks.reduce(
    (best, [mark, name]) => {
      const at = console.lastIndexOf(mark);
      return at > best.at ? { at, name } : best;
    },
    { at: -1, name: 'running' },
  );
  return `${latest.name}, ${state}`;
}
