import semver from 'semver';
import { isSameState } from '../../transfer/download/validators.ts';
import type { RemoteFile } from '../../transfer/source/remote-file.ts';
import { refuseRolledBack } from '../admission/rolled-back-before.ts';
import type { Transaction } from '../transaction/transaction.ts';
import type { BundleAnnouncement } from './bundle-announcement.ts';
import type { LastInstalled } from './last-installed.ts';

export interface NewsFacts {
  offer: RemoteFile;
  /** The last install from the same URL. */
  last: LastInstalled | undefined;
  latest: BundleAnnouncement | undefined;
  runningVersion: string | undefined;
  compatible: string | undefined;
  /** Oldest first. */
  transactions: readonly Transaction[];
}

export interface News {
  /** Null where only a fetch could show it. */
  isNewer: boolean | null;
  reason: string;
}

/** Whether the server has a version that is worth an install. */
export function decideAvailable(facts: NewsFacts): News {
  const { offer, last, latest, runningVersion } = facts;
  if (last !== undefined && (offer.kind === 'unchanged' || isSameState(last, offer)))
    return {
      isNewer: false,
      reason: `the server still has version ${last.version}, which was installed at ${last.at}`,
    };
  if (latest !== undefined) return decideByVersion(latest, facts);
  if (last !== undefined)
    return {
      isNewer: true,
      reason: `the file has changed since version ${last.version} was installed from there`,
    };
  const running = runningVersion === undefined ? '' : ` (${runningVersion} runs)`;
  return { isNewer: null, reason: `there is a bundle, but no latest.json that gives its version${running}` };
}

function decideByVersion(latest: BundleAnnouncement, facts: NewsFacts): News {
  const { version } = latest;
  const { runningVersion, compatible, transactions } = facts;
  if (latest.compatible !== undefined && compatible !== undefined && latest.compatible !== compatible)
    return { isNewer: false, reason: `it is for "${latest.compatible}", this system is "${compatible}"` };
  const refusal = refuseRolledBack(version, transactions);
  if (refusal !== undefined) return { isNewer: false, reason: refusal.reason };
  if (runningVersion === undefined || semver.valid(runningVersion) === null)
    return { isNewer: true, reason: `version ${version} is available; the running version is unknown` };
  if (semver.gt(version, runningVersion))
    return { isNewer: true, reason: `version ${version} is available, ${runningVersion} runs` };
  const isSame = semver.compare(version, runningVersion) === 0;
  return {
    isNewer: false,
    reason: isSame
      ? `version ${version} runs already`
      : `version ${version} is older than ${runningVersion}, which runs`,
  };
}
