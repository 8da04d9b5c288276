import { errorCodeOf, reasonOf } from '../../system/failure.ts';
import { Stalled } from './stall-watch.ts';

/** A network error, in our words. */
export interface NetworkTrouble {
  reason: string;
  /** The error does not pass with time: asking again is useless. */
  isLasting: boolean;
}

/** By the code of OpenSSL or bun (as observed with bun 1.4.5). */
const lasting: Record<string, string> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not signed by an authority that is trusted here',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is not signed by an authority that is trusted here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is not signed by an authority that is trusted here',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not signed by an authority that is trusted here',
  CERT_HAS_EXPIRED: 'its certificate has expired, or the clock here is wrong',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet, or the clock here is wrong',
  CERT_SIGNATURE_FAILURE: 'the signature of its certificate is wrong',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

const passing: Record<string, string> = {
  ECONNREFUSED: 'nothing answers there',
  ECONNRESET: 'the connection broke',
  ENOTFOUND: 'the host name is unknown',
  EPROTO: 'it does not speak TLS there, or does not accept our certificate',
  FailedToOpenSocket: 'no connection could be opened',
  InvalidContentLength: 'the length in its answer is no number, or there are two',
  Malformed_HTTP_Response: 'it does not speak HTTP there',
  InvalidHTTPResponse: 'its answer breaks the rules of HTTP',
  UnsupportedTransferEncoding: 'its answer breaks the rules of HTTP',
  ResponseHeadersTooLarge: 'the headers of its answer are too long',
};

export function networkTrouble(error: unknown): NetworkTrouble {
  if (error instanceof Stalled) return { reason: error.message, isLasting: false };
  const code = errorCodeOf(error) ?? '';
  const trust = lasting[code];
  if (trust !== undefined) return { reason: trust, isLasting: true };
  return {
    reason: passing[code] ?? reasonOf(error).replace(/ For more information, pass.*$/, ''),
    isLasting: false,
  };
}
