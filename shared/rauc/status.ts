import * as v from 'valibot';
import { Failure } from '../system/failure.ts';
import { CommandFailure, type CommandResult, command } from '../system/process/command.ts';
import { isBusyAnswer } from './busy.ts';

/**
 * `good` is listed in BOOT_ORDER with attempts left, `bad` is not. `unknown`: RAUC cannot read it from the bootloader's
 * environment.
 */
export type BootStatus = 'good' | 'bad' | 'unknown';

/** One slot as RAUC sees it now. */
export interface Slot {
  name: string;
  class: string;
  device: string;
  bootname: string | undefined;
  isBooted: boolean;
  /** Undefined for a slot that is not booted from. */
  bootStatus: BootStatus | undefined;
  /** From RAUC's status file; a slot that RAUC never installed has none. */
  version: string | undefined;
}

export interface Slots {
  compatible: string;
  all: Slot[];
  booted: Slot | undefined;
  /** The slot that the bootloader tries next. */
  primary: Slot | undefined;
  /** RAUC's whole answer, for those who know its form. */
  answer: RaucAnswer;
}

/** `rauc status --output-format=json`, with the details of each slot. */
type RaucAnswer = Readonly<Record<string, unknown>>;

const slotSchema = v.looseObject({
  class: v.string(),
  device: v.string(),
  bootname: v.nullish(v.string()),
  state: v.string(),
  boot_status: v.nullish(v.string()),
  slot_status: v.nullish(
    v.looseObject({ bundle: v.nullish(v.looseObject({ version: v.nullish(v.string()) })) }),
  ),
});

const statusSchema = v.looseObject({
  compatible: v.string(),
  boot_primary: v.nullish(v.string()),
  slots: v.array(v.record(v.string(), slotSchema)),
});

const statusDeadlineMs = 30_000;

/**
 * Asks RAUC's service. Never call it from a hook: during an install the service answers everything with "already
 * processing". Throws a Failure if the service does not answer, or answers in an unknown form.
 */
export async function readSlots(signal?: AbortSignal): Promise<Slots> {
  const { stdout, stderr } = await askRauc(signal);
  return parseStatus(stdout, stderr);
}

/**
 * The slots, or undefined where RAUC does not answer: it is busy, or does not run. `onSilence` gets the reason, and may
 * throw it. Throws where the signal is aborted.
 */
export async function slotsIfAnswered(
  signal: AbortSignal,
  onSilence: (error: unknown) => void = () => {},
): Promise<Slots | undefined> {
  try {
    return await readSlots(signal);
  } catch (error) {
    signal.throwIfAborted();
    onSilence(error);
    return undefined;
  }
}

async function askRauc(signal: AbortSignal | undefined): Promise<CommandResult> {
  try {
    const run = command({ deadlineMs: statusDeadlineMs, signal });
    return await run`rauc status --detailed --output-format=json`;
  } catch (error) {
    if (error instanceof CommandFailure && isBusyAnswer(error.stderr)) {
      throw new Failure('Cannot read the slots: RAUC is busy with an install', {
        outcome: 'busy',
        cause: error,
        advice: 'Ask again when it has ended',
      });
    }
    throw new Failure('Cannot read the slots: RAUC does not answer', {
      cause: error,
      advice: 'See "systemctl status rauc" (the package rauc-service brings it)',
    });
  }
}

/** `warnings` is what RAUC printed on stderr beside its answer. */
export function parseStatus(json: string, warnings = ''): Slots {
  const result = v.safeParse(statusSchema, readJson(json));
  if (!result.success) throw new Failure('Cannot read the slots: RAUC answered in an unknown form');
  const isUnreadable = result.output.boot_primary == null && hasUnreadableEnvironment(warnings);
  const all = result.output.slots.flatMap((named) =>
    Object.entries(named).map(
      ([name, slot]): Slot => ({
        name,
        class: slot.class,
        device: slot.device,
        bootname: slot.bootname ?? undefined,
        isBooted: slot.state === 'booted',
        bootStatus: bootStatusOf(slot.boot_status, isUnreadable),
        version: slot.slot_status?.bundle?.version ?? undefined,
      }),
    ),
  );
  all.sort((one, other) => one.name.localeCompare(other.name));
  return {
    compatible: result.output.compatible,
    all,
    booted: all.find((slot) => slot.isBooted),
    primary: all.find((slot) => slot.name === result.output.boot_primary),
    answer: result.output,
  };
}

function bootStatusOf(word: string | null | undefined, isUnreadable: boolean): BootStatus | undefined {
  if (word == null) return undefined;
  return !isUnreadable && (word === 'good' || word === 'bad') ? word : 'unknown';
}

/**
 * RAUC before 1.16 has no word for it: it gives each slot's last known status, or `bad`, and warns that it cannot read which
 * slot is the primary one. The same warning with the exempted reason means that it has read that no slot may boot.
 */
function hasUnreadableEnvironment(warnings: string): boolean {
  const reason = /Failed getting primary slot: (.*)/.exec(warnings)?.[1];
  return reason !== undefined && !reason.includes('Unable to find primary boot slot');
}

/** The slot of the booted slot's class that is not booted: the fallback, and an update's target. */
export function otherSlot(slots: Slots): Slot | undefined {
  return slots.all.find((slot) => slot.class === slots.booted?.class && !slot.isBooted);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
