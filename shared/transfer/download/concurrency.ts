/**
 * How many bytes one request asks for, and how many requests run at once. Several small ones keep a connection with
 * long round trips busy, where a single one would wait a round trip for each piece. bun's fetch drops the bytes it
 * has received when the connection breaks, so after a break the requests ask for less, and one runs at a time.
 */
export interface Concurrency {
  bytes: number;
  lanes: number;
  /** Some servers allow a client only one request at a time. */
  mostLanes: number;
}

export const largestPiece = 256 * 1024;
const smallestPiece = 16 * 1024;
export const firstPiece = 16 * 1024;
export const mostLanes = 6;
const longestPieceSeconds = 10;
/** Slower pieces come one after the other: shared by several requests, each would look like a stalled connection. */
const slowBytesPerSecond = 16 * 1024;
/** With a lower rate limit, one request at a time is enough. */
const singleBelowBytesPerSecond = 1024 * 1024;

export const firstPace: Concurrency = { bytes: firstPiece, lanes: 1, mostLanes };

/** `bytesPerSecond` is the rate at which that piece arrived. */
export function afterWhole(pace: Concurrency, bytesPerSecond: number): Concurrency {
  const isSlow = bytesPerSecond < slowBytesPerSecond;
  return {
    ...pace,
    bytes: Math.min(largestPiece, pace.bytes * 2),
    lanes: isSlow ? 1 : Math.min(pace.mostLanes, pace.lanes * 2),
  };
}

export function afterBreak(pace: Concurrency): Concurrency {
  return { ...pace, bytes: Math.max(smallestPiece, Math.floor(pace.bytes / 2)), lanes: 1 };
}

/** After a server has asked to wait, or has refused a request while it served another. */
export function oneByOne(pace: Concurrency): Concurrency {
  return { ...pace, lanes: 1, mostLanes: 1 };
}

/** At a low rate limit a piece would stay unread for minutes, and servers close a connection where nothing moves. */
export function atRate(pace: Concurrency, bytesPerSecond: number | undefined): Concurrency {
  if (bytesPerSecond === undefined || bytesPerSecond >= singleBelowBytesPerSecond) return pace;
  const most = Math.max(smallestPiece, bytesPerSecond * longestPieceSeconds);
  return { ...pace, bytes: Math.min(pace.bytes, most), lanes: 1 };
}
