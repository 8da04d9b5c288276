import { redact } from '../system/redact.ts';
import type { CancelAnswer } from './decide-step.ts';

/** A report to the server about an action: hawkBit's DdiActionFeedback, in the form of its versions 0.3 to 1.1. */
export interface Feedback {
  /** Older servers compare it with the action in the path. */
  id: string;
  status: {
    execution: 'proceeding' | 'scheduled' | 'downloaded' | 'closed' | 'rejected';
    result: { finished: 'none' | 'success' | 'failure'; progress?: { cnt: number; of: number } };
    details: string[];
  };
}

/** hawkBit keeps so many characters of one message, and so many messages of one feedback. */
const longestDetail = 500;
const mostDetails = 30;

export function proceeding(actionId: string, detail: string, percent?: number): Feedback {
  const progress = percent === undefined ? {} : { progress: { cnt: Math.round(percent), of: 100 } };
  return feedback(actionId, 'proceeding', { finished: 'none', ...progress }, [detail]);
}

export function scheduled(actionId: string, detail: string): Feedback {
  return feedback(actionId, 'scheduled', { finished: 'none' }, [detail]);
}

export function downloaded(actionId: string, detail: string): Feedback {
  return feedback(actionId, 'downloaded', { finished: 'none' }, [detail]);
}

/** The reason comes first; a failure also carries the end of the log. */
export function closed(
  actionId: string,
  { isSuccess, reason }: { isSuccess: boolean; reason: string },
  logTail: readonly string[],
): Feedback {
  const details = isSuccess ? [reason] : [reason, ...logTail];
  return feedback(actionId, 'closed', { finished: isSuccess ? 'success' : 'failure' }, details);
}

export function cancelled(actionId: string, answer: CancelAnswer): Feedback {
  return answer.isAccepted
    ? feedback(actionId, 'closed', { finished: 'success' }, ['Cancelled: nothing was changed'])
    : feedback(actionId, 'rejected', { finished: 'none' }, [`Cannot cancel it any more: ${answer.reason}`]);
}

function feedback(
  id: string,
  execution: Feedback['status']['execution'],
  result: Feedback['status']['result'],
  details: readonly string[],
): Feedback {
  const [first = '', ...rest] = details;
  const kept = [first, ...rest.slice(-(mostDetails - 1))];
  return {
    id,
    status: { execution, result, details: kept.map((detail) => redact(detail).slice(0, longestDetail)) },
  };
}

export interface Confirmation {
  confirmation: 'confirmed' | 'denied';
  details: string[];
}

export function confirmationOf(consent: 'yes' | 'no'): Confirmation {
  return consent === 'yes'
    ? { confirmation: 'confirmed', details: ['Confirmed by the device'] }
    : { confirmation: 'denied', details: ['A user at the device rejected it'] };
}
