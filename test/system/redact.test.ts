import { describe, expect, test } from 'bun:test';
import { redact } from '../../shared/system/redact.ts';

describe('redact()', () => {
  test.each([
    ['https://me:secret@host/path', 'https://***@host/path'],
    ['https://token@host:8443/path', 'https://***@host:8443/path'],
    ['https://me:se@cr@et@host/path', 'https://***@host/path'],
    ['postgresql+tls://homie:x!$%^&*()@localhost:5432/homie', 'postgresql+tls://***@localhost:5432/homie'],
    ['see "http://a:b@c" and http://d:e@f', 'see "http://***@c" and http://***@f'],
    ['https://host/x?token=abc&size=3', 'https://host/x?token=***&size=3'],
    ['https://host/x?size=3&ACCESS_TOKEN=abc"', 'https://host/x?size=3&ACCESS_TOKEN=***"'],
    [
      'https://host/x?api_key=a&client_secret=b&password=c',
      'https://host/x?api_key=***&client_secret=***&password=***',
    ],
    [
      'https://s3/x?X-Amz-Credential=AKIA%2F1&X-Amz-Date=2026&X-Amz-Signature=ff00',
      'https://s3/x?X-Amz-Credential=***&X-Amz-Date=2026&X-Amz-Signature=***',
    ],
    ['https://blob/x?se=2026&sig=a%2Bb%3D', 'https://blob/x?se=2026&sig=***'],
    [
      'pkcs11:token=yubikey;object=signer?pin-value=123456',
      'pkcs11:token=yubikey;object=signer?pin-value=***',
    ],
    ['pkcs11:object=signer;pin-value=123456', 'pkcs11:object=signer;pin-value=***'],
    ['Authorization: Bearer abc.def', 'Authorization: Bearer ***'],
    ['authorization:TargetToken abc (401)', 'authorization:TargetToken *** (401)'],
    ['Authorization: GatewayToken abc', 'Authorization: GatewayToken ***'],
    ['Authorization: Basic bWU6c2VjcmV0', 'Authorization: Basic ***'],
  ])('takes the secret out of %j', (text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  test.each([
    '',
    'Marking slot "rootfs.1" active',
    'https://host/path?size=3&monkey=1&keyring=x#top',
    'https://host/path/mail@example.org',
    'https://host/path?mail=me@example.org',
    'write to me@example.org: see https://host',
    'git@host:repository',
    'homie-orchestrator@2.service',
    'token=abc is a text here, and key=value too',
    'the authorization: it failed',
  ])('touches nothing of %j', (text) => {
    expect(redact(text)).toBe(text);
  });
});
