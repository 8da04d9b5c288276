import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { type CredentialFiles, readCredentials } from '../../../shared/transfer/request/credentials.ts';
import { failureOf } from '../../support/failure-of.ts';
import { makeTlsFiles, type TlsFiles } from '../../support/servers/tls-files.ts';
import { TempFolder } from '../../support/temp-folder.ts';

const none: CredentialFiles = {
  caFile: undefined,
  clientCertificateFile: undefined,
  clientKeyFile: undefined,
  tokenFile: undefined,
  basicAuthFile: undefined,
};

let folder: TempFolder;
let files: TlsFiles;
beforeAll(async () => {
  folder = new TempFolder();
  files = await makeTlsFiles(folder);
}, 60_000);
afterAll(() => folder[Symbol.dispose]());
beforeEach(() => folder.remove('given'));

const given = (content: string, mode = 0o600): string => folder.write('given', content, mode);
const pair = () => ({ clientCertificateFile: files.client.certificate, clientKeyFile: files.client.key });

describe('readCredentials()', () => {
  test('is nothing when no file is named', () => {
    expect(readCredentials(none)).toEqual({ headers: {}, tls: undefined });
  });

  test.each<[string, () => Partial<CredentialFiles>, string]>([
    [
      'others may read the token',
      () => ({ tokenFile: given('x', 0o640) }),
      'token_file "$": others may read it; chmod 600 "$"',
    ],
    [
      'everybody may read the password',
      () => ({ basicAuthFile: given('a:b', 0o604) }),
      'basic_auth_file "$": others may read it; chmod 600 "$"',
    ],
    [
      'others may write the CA',
      () => ({ caFile: given('x', 0o664) }),
      'ca_file "$": others may write it; chmod 644 "$"',
    ],
    [
      'others may read the key',
      () => ({ ...pair(), clientKeyFile: given('x', 0o644) }),
      'client_key_file "$": others may read it; chmod 600 "$"',
    ],
    [
      'the token is not there',
      () => ({ tokenFile: folder.at('given') }),
      'token_file "$": no such file or folder',
    ],
    [
      'the token is empty',
      () => ({ tokenFile: given('\n') }),
      'token_file "$": one token on one line is expected',
    ],
    [
      'the token has lines',
      () => ({ tokenFile: given('a\nb: c\n') }),
      'token_file "$": one token on one line is expected',
    ],
    [
      'the password has no user',
      () => ({ basicAuthFile: given('secret') }),
      'basic_auth_file "$": one line of the form user:password is expected',
    ],
    ['the CA is no certificate', () => ({ caFile: given('hello') }), 'ca_file "$": no certificate is in it'],
    [
      'the CA is torn',
      () => ({ caFile: given('-----BEGIN CERTIFICATE-----\nx') }),
      'ca_file "$": it is not a certificate in PEM',
    ],
    [
      'the key is no key',
      () => ({ ...pair(), clientKeyFile: given('x') }),
      'client_key_file "$": it is not a private key in PEM without a passphrase',
    ],
  ])(
    'refuses, with file and key of the config and nothing of what is in it, when %s',
    async (_when, filesOf, reason) => {
      const failure = await failureOf(() => readCredentials({ ...none, ...filesOf() }));
      expect(failure.message).toBe(`Cannot use update.${reason.replaceAll('$', folder.at('given'))}`);
      expect(failure.outcome).toBe('usage');
    },
  );

  test('refuses a key of another certificate, and one half of a pair', async () => {
    const other = {
      ...none,
      clientCertificateFile: files.client.certificate,
      clientKeyFile: folder.at('server.key'),
    };
    expect((await failureOf(() => readCredentials(other))).message).toEndWith(
      `it is not the key of "${files.client.certificate}"`,
    );
    expect(
      (await failureOf(() => readCredentials({ ...other, clientKeyFile: undefined }))).message,
    ).toEndWith('both are needed');
  });

  test('refuses a token beside a password', async () => {
    const both = { ...none, tokenFile: given('a'), basicAuthFile: given('a:b') };
    expect((await failureOf(() => readCredentials(both))).message).toStartWith(
      'Cannot use token_file and basic_auth_file together',
    );
  });
});
