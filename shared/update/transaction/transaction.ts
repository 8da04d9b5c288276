import * as v from 'valibot';

/**
 * An update as one transaction over slot and data. It lives in one file on the data partition, which programs of
 * the next and of the previous version read too: fields are only ever added, unknown ones are kept.
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
  state: v.picklist(states),
  /** ISO 8601, by a clock that may be wrong: order is told by the list. */
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
  /** How healthy the system was before, by check: what was broken already does not count against the update. */
  baseline: v.optional(v.record(v.string(), v.unknown())),
  /** The database as it was: taken with the stack stopped, directly before the first migration. */
  dump: v.optional(v.looseObject({ ...savedFileSchema.entries, rows: v.record(v.string(), v.number()) })),
  redis: v.optional(v.looseObject({ ...savedFileSchema.entries, file: v.string() })),
  /** Set before the schema is touched: from then on a rollback owes the restore of the dump. */
  migration: v.optional(v.looseObject({ at: v.string(), afterSteps: v.optional(v.number()) })),
  /** Set when the dump is back: the debt is paid. */
  restored: v.optional(v.looseObject({ at: v.string(), dropped: v.array(v.string()) })),
  /** The images that the slots' compose files name: the fallback's are kept as long as it is one. */
  images: v.optional(v.looseObject({ from: v.array(v.string()), to: v.array(v.string()) })),
  /** Where the last lines of every service of the stack are kept. */
  stackLogs: v.optional(v.string()),
  /** How many attempts of the bootloader were given back after deliberate reboots. */
  attemptsGivenBack: v.optional(v.number()),
  /** The verdict stands in the history, and nothing more is owed for it. */
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

export function stateOf(transaction: Transaction): State {
  return lastStep(transaction).state;
}

/** Throws valibot's error on anything else. */
export function parseTransaction(content: unknown): Transaction {
  return v.parse(transactionSchema, content);
}

/** Whether an update can get no further: all that may be left is to put it into the history. */
export function isVerdict(state: State): boolean {
  return (['committed', 'failed', 'rolled-back', 'fallen-back'] as State[]).includes(state);
}

/** Whether the new schema is whole: a trial that is taken up again goes on from there. */
export function isMigrated({ steps, migration, restored }: Transaction): boolean {
  if (migration === undefined || restored !== undefined) return false;
  return steps.slice(migration.afterSteps ?? 0).some(({ state }) => state === 'migrated');
}

/** Whether post-install has migrated (`migrate_in: post-install`), before any trial. */
export function isMigratedByInstall({ steps }: Transaction): boolean {
  const migrated = steps.findLastIndex(({ state }) => state === 'migrated');
  return migrated >= 0 && !steps.slice(0, migrated).some(({ state }) => state === 'trial');
}

/** In how many boots the new version was tried, but for those that somebody ended on purpose. */
export function trialBoots({ steps, attemptsGivenBack = 0 }: Transaction): number {
  const boots = steps.filter(({ state }) => state === 'trial').map(({ bootId }) => bootId);
  return new Set(boots).size - attemptsGivenBack;
}

/**
 * Whether the data is not what it was, and the version never proved itself on it: who gives a committed update up keeps
 * what was written since.
 */
export function owesRestore({ migration, restored, steps }: Transaction): boolean {
  const isProved = steps.some(({ state }) => state === 'committed');
  return migration !== undefined && restored === undefined && !isProved;
}
