import { existsSync } from 'node:fs';
import { lockFileOf } from '../../shared/system/places.ts';
import { lockHolder } from '../../shared/system/process/lock.ts';
import { stateOf } from '../../shared/update/transaction/transaction.ts';
import { fullAttempts, otherName } from './board/bootloader.ts';
import type { ModelBoard, Version } from './board/model-board.ts';

/** How a device stands once it has come to rest: in one of the two good ends, or what is wrong with it. */
export type End = { kind: 'old' | 'new' } | { kind: 'bad'; wrong: string[] };

export interface Expected {
  old: Version;
  new: Version;
  /** What the users wrote before the update was tried: no end may lack any of it. */
  rows: readonly string[];
}

export function endOf(board: ModelBoard, expected: Expected): End {
  const version = board.versionIn(board.booted);
  const runs = [expected.old, expected.new].find(({ name }) => name === version);
  const verdict = board.history.at(-1);
  const state = verdict === undefined ? undefined : stateOf(verdict);
  const isNew = runs === expected.new;
  const wrong = [
    ...wrongAtRest(board, expected.rows),
    ...(runs === undefined ? [`slot ${board.booted} runs "${version}"`] : []),
    ...(isNew && state !== 'committed' ? [`the new version runs, but the update is "${state}"`] : []),
    ...(!isNew && state === 'committed' ? ['the old version runs, but the update is committed'] : []),
  ];
  return wrong.length > 0 ? { kind: 'bad', wrong } : { kind: isNew ? 'new' : 'old' };
}

/** Faults that a device must not have after all disturbances have ended; empty if all is well. */
export function wrongAtRest(board: ModelBoard, rows: readonly string[]): string[] {
  const { booted, environment, transactionNow, revision, stack } = board;
  const { order, left } = environment;
  const lost = rows.filter((row) => !board.rows.includes(row));
  const head = board.headIn(booted);
  const version = board.versionIn(booted);
  const missing = [booted, otherName(booted)]
    .filter((name) => name === booted || order.includes(name))
    .flatMap((name) => stack.imagesOf(board.headIn(name)))
    .filter((image) => !stack.hasImage(image));
  const foreign = stack.redis?.foreign ?? [];
  const keys = stack.redis?.line?.split(' ') ?? rows;
  const lostKeys = rows.filter((row) => !keys.includes(row));
  const primary = order.find((name) => left[name] > 0);
  const faults: [boolean, string][] = [
    [version === undefined, `slot ${booted} runs, which was never filled`],
    [!board.hasPrograms(booted), `slot ${booted} runs, but its programs are not whole`],
    [missing.length > 0, `images are missing: ${missing.join(', ')}`],
    [!existsSync(board.at('data/config/settings.json')), 'the configuration is gone'],
    [foreign.length > 0, `redis cannot write ${foreign.join(', ')}`],
    [lostKeys.length > 0, `redis lost ${lostKeys.join(', ')}`],
    [revision !== head, `version "${version}" runs on the schema "${revision}", not "${head}"`],
    [lost.length > 0, `lost ${lost.join(', ')}`],
    [!board.isServing, 'the application does not serve'],
    [primary !== booted, `slot ${booted} runs, but "${primary}" is the primary one`],
    [left[booted] !== fullAttempts, `slot ${booted} has ${left[booted]} attempts left`],
    [hasLostFallback(board), `slot ${otherName(booted)} is whole, but out of the boot order`],
    [board.isHeld, 'the next boot is held'],
    [transactionNow?.isClosed === false, 'the update is open'],
    [lockHolder(lockFileOf(board.places)) !== undefined, 'the lock is held'],
  ];
  return faults.filter(([is]) => is).map(([, what]) => what);
}

/**
 * The slot still has all files of the factory or the last commit, even if an install has begun since: after pre-install
 * it is unknown whether RAUC has begun to write.
 */
function hasLostFallback(board: ModelBoard): boolean {
  const other = otherName(board.booted);
  const version = board.versionIn(other);
  const written = board.history.filter(({ steps }) => steps.some(({ state }) => state === 'installing'));
  const writer = written.findLast(({ to }) => to.slot === (other === 'A' ? 'rootfs.0' : 'rootfs.1'));
  const isProved = writer === undefined || stateOf(writer) === 'committed';
  return version !== undefined && isProved && !board.environment.order.includes(other);
}
