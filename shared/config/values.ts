import * as v from 'valibot';

/** What keys of the configuration take; each message says what is expected. */

export const absolutePath = v.pipe(v.string(), v.regex(/^\//, 'a path from the root, like /data/config'));

export const trueOrFalse = v.boolean('true or false');

export const serviceName = v.pipe(
  v.string(),
  v.regex(/^[\w.-]+$/, 'the name of a service in the compose file'),
);

export const unitName = v.pipe(v.string(), v.regex(/^[\w@.:-]+$/, 'the name of a systemd unit'));

export const httpUrl = v.pipe(
  v.string(),
  v.regex(/^https?:\/\/\S+$/, 'a URL that begins with http:// or https://'),
);

export const bundleUrl = v.pipe(
  v.string(),
  v.regex(/^https?:\/\/[^\s/@]+(?:[/?]\S*)?$/, 'a URL with https:// or http://, and no user in it'),
);

export const listenAddress = v.pipe(
  v.string(),
  v.regex(
    /^(?:(?:127\.0\.0\.1|\[::1\]):\d{1,5}|\/.+)$/,
    'an address of this device like "127.0.0.1:8081", or the path of a socket',
  ),
);

export const version = v.pipe(
  v.string('a version in quotes, like "1.2.0"'),
  v.regex(/^\d+\.\d+\.\d+(?:[-+][\w.+-]+)?$/, 'a version like "1.2.0"'),
);

export const mebibytes = v.pipe(
  v.number('a number of MiB'),
  v.finite('a number of MiB'),
  v.minValue(0, 'a number of MiB, 0 or more'),
);

export const secondsUpTo = (most: number) =>
  v.pipe(
    v.number(`a number of seconds from 1 to ${most}`),
    v.integer(`a whole number of seconds from 1 to ${most}`),
    v.minValue(1, `a number of seconds from 1 to ${most}`),
    v.maxValue(most, `a number of seconds from 1 to ${most}`),
  );

export const wholeNumberFrom = (least: number) =>
  v.pipe(
    v.number(`a whole number from ${least}`),
    v.integer(`a whole number from ${least}`),
    v.minValue(least, `a whole number from ${least}`),
  );
