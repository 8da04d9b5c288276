import { createLog } from '../../../../shared/system/terminal/log.ts';
import { fetchBundle } from '../../../../shared/transfer/download/fetch.ts';

/** Fetches URL into FOLDER; its system calls are what is looked at. */
const [url = '', folder = ''] = process.argv.slice(2);
await fetchBundle({
  url,
  folder,
  credentials: { headers: {}, tls: undefined },
  stallMs: 20_000,
  mostBytes: 10_000_000,
  tries: 1,
  log: createLog('fetch-file'),
  signal: new AbortController().signal,
});
