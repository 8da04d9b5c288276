import type { Outcome } from '../../system/exit-code.ts';
import type { Places } from '../../system/places.ts';
import { lastVerdict } from '../admission/rolled-back-before.ts';
import { allTransactions } from '../transaction/transaction-store.ts';
import type { LastInstalled } from './last-installed.ts';
import type { LiveProgress } from './live-progress.ts';

/** Nothing to do is a success: a timer asks every night. */
export function tellUnchanged(last: LastInstalled, places: Places, progress: LiveProgress): Outcome {
  const words = `Nothing new: the server still has version "${last.version}", ${fateOf(last, places)}`;
  progress.done('done', words);
  progress.log.info(words);
  return 'done';
}

/** The other slot holds another version as the fallback; installing the running version again would overwrite it. */
export function tellRunsAlready(version: string, progress: LiveProgress): Outcome {
  const words = `Nothing new: version "${version}" runs already; --force installs it again`;
  progress.done('done', words);
  progress.log.info(words);
  return 'done';
}

/** Words for a message: when the version was installed, and why it does not run where it was rolled back or abandoned. */
export function fateOf({ version, at }: LastInstalled, places: Places): string {
  const verdict = lastVerdict(version, allTransactions(places));
  if (verdict === undefined) return `installed at ${at}, and tried at the next boot`;
  const why = verdict.reason === undefined ? '' : `: ${verdict.reason}`;
  if (verdict.state === 'committed') return `installed at ${at}`;
  return `which was installed at ${at} and ${words[verdict.state]} at ${verdict.at}${why}; --force fetches it again`;
}

const words = {
  'rolled-back': 'rolled back',
  'fallen-back': 'rejected by the bootloader',
  failed: 'rejected',
} as const;
