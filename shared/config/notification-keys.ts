import * as v from 'valibot';
import { key } from './key.ts';

/** Who is told of each verdict, as `orchestrator.yaml` says it. */

const urlExpected = 'a URL that begins with https://, or with http:// for this machine alone';

const programPath = v.pipe(v.string(), v.regex(/^\//, 'the path of a program, from the root'));
const webhookUrl = v.pipe(
  v.string(),
  v.regex(/^https:\/\/\S+$|^http:\/\/(?:localhost|127\.0\.0\.1)[:/]\S*$/, urlExpected),
);

export const notificationKeys = {
  verdict_command: key('gets each verdict as JSON on its stdin', programPath),
  verdict_webhook: key('each verdict is posted to it', webhookUrl),
};
