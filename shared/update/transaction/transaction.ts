import * as v from 'valibot';

/**
 * An update as one transaction over slot and data. It lives in one file on the data partition, which programs of
 * the next and of the previous version read too: fields and states are only ever added, unknown ones are kept. What is
 * owed is told by `dump`, `redis`, `migration` and `restored`, whose meaning never changes (docs/formats.md).
 */

export const states = [
  'preparing',
  'installing',
  'installed',
  'trial',
  'migrated',
  'committed',
  'failed',
  'rolled-back',
  'fallen-back',
] as const;

export type State = (typeof states)[number];

const stepSchema = v.looseObject({
  /** Perhaps one of a later version, which is kept, and passed over by `stateOf`. */
  state: v.string(),
  /** ISO 8601, by a clock that may be wrong: only the list shows the order. */
  at: v.string(),
  bootId: v.string(),
  slot: v.nullable(v.string()),
  version: v.nullable(v.string()),
  reason: v.optional(v.string()),
});

const releaseSchema = v.looseObject({ version: v.nullable(v.string()), slot: v.nullable(v.string()) });

const savedFileSchema = v.looseObject({ path: v.string(), sha256: v.string() });

const transactionSchema = v.looseObject({
  format: v.number(),
  id: v.string(),
  from: releaseSchema,
  to: releaseSchema,
  steps: v.pipe(v.array(stepSchema), v.minLength(1)),
  backup: v.optional(savedFileSchema),
  /** The result of each health check before the update: a fault that was there already does not count against the update. */
  baseline: v.optional(v.record(v.string(), v.unknown())),
  /** The dump of the database, taken with the stack stopped, directly before the first migration. */
  dump: v.optional(v.looseObject({ ...savedFileSchema.entries, rows: v.record(v.string(), v.number()) })),
  redis: v.optional(v.looseObject({ ...savedFileSchema.entries, file: v.string() })),
  /** Set before the schema is touched: from then on a rollback owes the restore of the dump. */
  migration: v.optional(v.looseObject({ at: v.string(), afterSteps: v.optional(v.number()) })),
  /** Set when the dump is restored: from then on no restore is owed. */
  restored: v.optional(v.looseObject({ at: v.string(), dropped: v.array(v.string()) })),
  /** The images in the compose files of both slots: those of the fallback are kept as long as it is the fallback. */
  images: v.optional(v.looseObject({ from: v.array(v.string()), to: v.array(v.string()) })),
  /** The folder with the last log lines of every service of the stack. */
  stackLogs: v.optional(v.string()),
  /** How many attempts of the bootloader were given back after deliberate reboots. */
  attemptsGivenBack: v.optional(v.number()),
  /** Fields of a later version whose form this one does not know; they are written again as they were. */
  unread: v.optional(v.record(v.string(), v.unknown())),
  /** The verdict is in the history, and no restore is owed. */
  isClosed: v.boolean(),
});

export type Transaction = v.InferOutput<typeof transactionSchema>;
export type Step = v.InferOutput<typeof stepSchema>;
export type Release = v.InferOutput<typeof releaseSchema>;

/** When and where a step happens. */
export interface Moment {
  at: Date;
  bootId: string;
}

export function openTransaction(id: string, from: Release, to: Release, moment: Moment): Transaction {
  const opened = { format: 1, id, from, to, steps: [], isClosed: false };
  return advance(opened, 'preparing', moment);
}

/** A further step opens the transaction again: its verdict has to be closed anew. */
export function advance(
  transaction: Transaction,
  state: State,
  moment: Moment,
  reason?: string,
): Transaction {
  const step: Step = {
    state,
    at: moment.at.toISOString(),
    bootId: moment.bootId,
    slot: transaction.to.slot,
    version: transaction.to.version,
    ...(reason === undefined ? {} : { reason }),
  };
  return { ...transaction, steps: [...transaction.steps, step], isClosed: false };
}

export function lastStep(transaction: Transaction): Step {
  const step = transaction.steps.at(-1);
  if (step === undefined) throw new Error('a transaction without a step'); // the schema and openTransaction forbid it
  return step;
}

/**
 * The last state that this version knows, for decisions; `lastStep` has the one to show. A later version may have noted
 * states of its own behind it.
 */
export function stateOf({ steps }: Transaction): State {
  return steps.map(({ state }) => state).findLast(isKnown) ?? 'preparing';
}

function isKnown(state: string): state is State {
  return states.some((known) => known === state);
}

/** Fields that tell nothing about what is owed: a boot does not need them. */
const sideFields = ['backup', 'baseline', 'images', 'stackLogs', 'attemptsGivenBack'];

/** Throws valibot's error on anything else. */
export function parseTransaction(content: unknown): Transaction {
  const result = v.safeParse(transactionSchema, content);
  if (result.success) return result.output;
  const wrong = result.issues.map(({ path }) => String(path?.[0]?.key));
  if (typeof content !== 'object' || content === null || !wrong.every((key) => sideFields.includes(key)))
    throw new v.ValiError(result.issues);
  const fields = Object.entries(content);
  const read = Object.fromEntries(fields.filter(([key]) => !wrong.includes(key)));
  const unread = Object.fromEntries(fields.filter(([key]) => wrong.includes(key)));
  return v.parse(transactionSchema, { ...read, unread });
}

/** What is written to a file or shown as JSON. */
export function contentOf({ unread, ...transaction }: Transaction): Transaction {
  return { ...unread, ...transaction };
}

/** Whether the state is final: no step follows by itself, and the update only has to be closed. */
export function isVerdict(state: State): boolean {
  return (['committed', 'failed', 'rolled-back', 'fallen-back'] as State[]).includes(state);
}

/** Whether the migration is complete: a trial that is resumed continues from there. */
export function isMigrated({ steps, migration, restored }: Transaction): boolean {
  if (migration === undefined || restored !== undefined) return false;
  return steps.slice(migration.afterSteps ?? 0).some(({ state }) => state === 'migrated');
}

/** Whether post-install has migrated (`migrate_in: post-install`), before any trial. */
export function isMigratedByInstall({ steps }: Transaction): boolean {
  const migrated = steps.findLastIndex(({ state }) => state === 'migrated');
  return migrated >= 0 && !steps.slice(0, migrated).some(({ state }) => state === 'trial');
}

/** In how many boots the new version was tried, without those that ended in a deliberate reboot. */
export function trialBoots({ steps, attemptsGivenBack = 0 }: Transaction): number {
  const boots = steps.filter(({ state }) => state === 'trial').map(({ bootId }) => bootId);
  return new Set(boots).size - attemptsGivenBack;
}

/**
 * Whether the data must be restored: it was migrated, and the new version was never committed. If a committed update is
 * abandoned, the data that was written since is kept.
 */
export function needsRestore({ migration, restored, steps }: Transaction): boolean {
  const isProved = steps.some(({ state }) => state === 'committed');
  return migration !== undefined && restored === undefined && !isProved;
}
