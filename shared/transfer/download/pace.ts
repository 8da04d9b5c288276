/**
 * How much one request asks for, and how many are on their way at once. Several small ones keep a long line full where
 * one would wait a round trip for each piece. bun's fetch drops what it has received when the line breaks, so a line
 * that breaks is asked for less at a time, and by one request alone.
 */
export interface Pace {
  bytes: number;
  lanes: number;
  /** Some servers let nobody have more than one. */
  mostLanes: number;
}

export const largestPiece = 256 * 1024;
const smallestPiece = 16 * 1024;
export const firstPiece = 16 * 1024;
export const mostLanes = 6;
const longestPieceSeconds = 10;
/** Slower pieces come one after the other: shared by several requests, each would look like a line that stands still. */
const slowBytesPerSecond = 16 * 1024;
/** With less to spend a second, one request is enough. */
const singleBelowBytesPerSecond = 1024 * 1024;

export const firstPace: Pace = { bytes: firstPiece, lanes: 1, mostLanes };

/** `bytesPerSecond` is what that piece came at. */
export function afterWhole(pace: Pace, bytesPerSecond: number): Pace {
  const isSlow = bytesPerSecond < slowBytesPerSecond;
  return {
    ...pace,
    bytes: Math.min(largestPiece, pace.bytes * 2),
    lanes: isSlow ? 1 : Math.min(pace.mostLanes, pace.lanes * 2),
  };
}

export function afterBreak(pace: Pace): Pace {
  return { ...pace, bytes: Math.max(smallestPiece, Math.floor(pace.bytes / 2)), lanes: 1 };
}

/** After a server has asked for patience, or has turned one away while it served another. */
export function oneByOne(pace: Pace): Pace {
  return { ...pace, lanes: 1, mostLanes: 1 };
}

/** At a low rate a piece would lie unread for minutes, and servers hang up on a line where nothing moves. */
export function atRate(pace: Pace, bytesPerSecond: number | undefined): Pace {
  if (bytesPerSecond === undefined || bytesPerSecond >= singleBelowBytesPerSecond) return pace;
  const most = Math.max(smallestPiece, bytesPerSecond * longestPieceSeconds);
  return { ...pace, bytes: Math.min(pace.bytes, most), lanes: 1 };
}
