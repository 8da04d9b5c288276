import { formatBytes } from '../../system/files/disk.ts';

/** Only the last seconds count: the speed of an hour ago says nothing about now. */
const windowMs = 10_000;

interface Sample {
  atMs: number;
  bytes: number;
}

/** The current speed of a transfer, in bytes per second. */
export class TransferRate {
  #samples: Sample[] = [];

  at(atMs: number, bytes: number): number | undefined {
    this.#samples = [...this.#samples.filter((sample) => atMs - sample.atMs <= windowMs), { atMs, bytes }];
    const first = this.#samples[0];
    if (first === undefined || atMs - first.atMs < 500) return undefined;
    return Math.max(0, ((bytes - first.bytes) / (atMs - first.atMs)) * 1000);
  }
}

export interface Transfer {
  bytes: number;
  totalBytes?: number | undefined;
  bytesPerSecond?: number | undefined;
}

export function percentOf({ bytes, totalBytes }: Transfer): number | undefined {
  return totalBytes === undefined || totalBytes === 0 ? undefined : Math.floor((bytes / totalBytes) * 100);
}

export function secondsLeft({ bytes, totalBytes, bytesPerSecond }: Transfer): number | undefined {
  if (totalBytes === undefined || bytesPerSecond === undefined || bytesPerSecond < 1) return undefined;
  return Math.ceil((totalBytes - bytes) / bytesPerSecond);
}

/** `45% of 1.0 GiB, 3.2 MiB/s, 2 min left`; unknown parts are left out. */
export function transferWords(transfer: Transfer): string {
  const percent = percentOf(transfer);
  const { bytes, totalBytes = 0, bytesPerSecond } = transfer;
  const left = secondsLeft(transfer);
  return [
    percent === undefined ? formatBytes(bytes) : `${percent}% of ${formatBytes(totalBytes)}`,
    ...(bytesPerSecond === undefined ? [] : [`${formatBytes(bytesPerSecond)}/s`]),
    ...(left === undefined ? [] : [`${timeWords(left)} left`]),
  ].join(', ');
}

/** `######----`, as wide as asked for. */
export function bar(percent: number, width: number): string {
  const full = Math.round((Math.min(100, Math.max(0, percent)) / 100) * width);
  return `${'#'.repeat(full)}${'-'.repeat(width - full)}`;
}

function timeWords(seconds: number): string {
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
