/**
 * How much one request asks for. What has been asked for and is not on disk yet is lost when power fails, and bun's
 * fetch drops what it has received when the line breaks: a line that breaks often is asked for less at a time.
 */
export const largestPiece = 1024 * 1024;
const smallestPiece = 16 * 1024;
const longestPieceSeconds = 10;
/** So many in a row before more is dared. */
const enoughWhole = 2;

export interface Pace {
  bytes: number;
  wholeInARow: number;
}

/** `most` where a server counts requests, and wants fewer of them. */
export function firstPace(most = largestPiece): Pace {
  return { bytes: most, wholeInARow: 0 };
}

export function afterWhole({ bytes, wholeInARow }: Pace, most = largestPiece): Pace {
  if (bytes >= most || wholeInARow + 1 < enoughWhole) return { bytes, wholeInARow: wholeInARow + 1 };
  return { bytes: Math.min(most, bytes * 2), wholeInARow: 0 };
}

export function afterBreak({ bytes }: Pace): Pace {
  return { bytes: Math.max(smallestPiece, Math.floor(bytes / 2)), wholeInARow: 0 };
}

/** At a low rate a piece would lie unread for minutes, and servers hang up on a line where nothing moves. */
export function largestAtRate(bytesPerSecond: number | undefined, most = largestPiece): number {
  if (bytesPerSecond === undefined) return most;
  return Math.min(most, Math.max(smallestPiece, bytesPerSecond * longestPieceSeconds));
}
