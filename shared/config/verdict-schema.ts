import * as v from 'valibot';

/** The config keys that name the receivers of each verdict. */

const urlExpected = 'a URL that begins with https://, or with http:// for this machine alone';

export const verdictEntries = {
  verdict_command: v.optional(v.pipe(v.string(), v.regex(/^\//, 'the path of a program, from the root'))),
  verdict_webhook: v.optional(
    v.pipe(v.string(), v.regex(/^https:\/\/\S+$|^http:\/\/(?:localhost|127\.0\.0\.1)[:/]\S*$/, urlExpected)),
  ),
};
