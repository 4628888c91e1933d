import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { preAuthEncoding } from '../../src/intoto/dsse.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { verifyLegacy, type LegacyLayer } from '../../src/verify/legacy.ts';
import { loadTrustedKey, NO_TRUST, withKeys } from '../../src/verify/trust-root.ts';
import type { Verification } from '../../src/verify/verification.ts';
import { bomPayload } from '../support/sandbox-bundles.ts';

const SUBJECT = digestOf('an image');
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const trust = withKeys(NO_TRUST, [loadTrustedKey(publicKey.export({ format: 'der', type: 'spki' }))]);

const SIGNATURE = 'dev.cosignproject.cosign/signature';
const INTOTO = 'application/vnd.in-toto+json';

interface Payload {
  [field: string]: unknown;
  critical: {
    [field: string]: unknown;
    identity: Record<string, unknown>;
    image: Record<string, unknown>;
    type: string;
  };
  optional: unknown;
}

function payload(change: (payload: Payload) => void = () => undefined): Buffer {
  const made: Payload = {
    critical: {
      identity: { 'docker-reference': 'registry.example.com/app' },
      image: { 'docker-manifest-digest': SUBJECT },
      type: 'cosign container image signature',
    },
    optional: null,
  };
  change(made);
  return Buffer.from(JSON.stringify(made));
}

function verify(bytes: Buffer, changes: Partial<LegacyLayer> = {}): Verification {
  const annotations = { [SIGNATURE]: sign('sha256', bytes, privateKey).toString('base64') };
  const layer: LegacyLayer = { kind: 'signature', bytes, annotations, manifestDigest: digestOf('m'), ...changes };
  return verifyLegacy(layer, SUBJECT, { trust, keyThresholds: { logEntries: 0, times: 0 } });
}

function codeOf(found: Verification): string {
  return found.ok ? 'accepted' : found.rejection.code;
}

describe('a simple-signing payload', () => {
  test('counts as the statement "I signed this", with name and annotations', () => {
    expect(verify(payload((made) => (made.optional = { env: 'prod' })))).toMatchObject({
      attestation: {
        format: 'legacy',
        subject: SUBJECT,
        manifestDigest: digestOf('m'),
        statement: {
          predicateType: 'https://sigstore.dev/cosign/sign/v1',
          subjects: [{ name: 'registry.example.com/app', annotations: { env: 'prod' } }],
        },
      },
    });
  });

  test.each<readonly [string, string, (made: Payload) => void]>([
    [
      'about another image',
      'SUBJECT_MISMATCH',
      (made) => (made.critical.image['docker-manifest-digest'] = digestOf('x')),
    ],
    ['of another type', 'STATEMENT_INVALID', (made) => (made.critical.type = 'atomic container signature')],
    ['without an image', 'STATEMENT_INVALID', (made) => delete made.critical.image['docker-manifest-digest']],
    ['without an identity', 'STATEMENT_INVALID', (made) => (made.critical.identity = {})],
    ['with a critical field more', 'STATEMENT_INVALID', (made) => (made.critical['extra'] = 1)],
    ['with an identity more', 'STATEMENT_INVALID', (made) => (made.critical.identity['other'] = 'x')],
    ['with an image more', 'STATEMENT_INVALID', (made) => (made.critical.image['other'] = 'x')],
    ['with a field beside them', 'STATEMENT_INVALID', (made) => (made['extra'] = 1)],
    ['with annotations that are a list', 'STATEMENT_INVALID', (made) => (made.optional = [])],
  ])('%s is rejected, though its signature holds', (_name, code, change) => {
    expect(codeOf(verify(payload(change)))).toBe(code);
  });

  test('with a field twice is rejected, whichever a reader would take', () => {
    const twice = payload().toString().replace('"critical":{', `"critical":{"type":"x",`);
    expect(codeOf(verify(Buffer.from(twice)))).toBe('STATEMENT_INVALID');
  });

  test.each([
    ['missing', ''],
    ['no base64', '!!!'],
    ['base64 with something after it', `${sign('sha256', payload(), privateKey).toString('base64')} `],
  ])('whose signature is %s is rejected', (_name, signature) => {
    expect(codeOf(verify(payload(), { annotations: { [SIGNATURE]: signature } }))).toBe('BUNDLE_MALFORMED');
  });

  test('whose signature is over something else is rejected', () => {
    const other = sign('sha256', Buffer.from('something else'), privateKey).toString('base64');
    expect(codeOf(verify(payload(), { annotations: { [SIGNATURE]: other } }))).toBe('KEY_UNKNOWN');
  });

  test.each([
    ['a log entry that is no JSON', { 'dev.sigstore.cosign/bundle': '{' }, 'BUNDLE_MALFORMED'],
    ['a log entry without a promise', { 'dev.sigstore.cosign/bundle': '{"Payload":{}}' }, 'BUNDLE_MALFORMED'],
    ['a timestamp that is no JSON', { 'dev.sigstore.cosign/rfc3161timestamp': 'x' }, 'BUNDLE_MALFORMED'],
    ['a certificate that is none', { 'dev.sigstore.cosign/certificate': 'x' }, 'CERTIFICATE_INVALID'],
  ])('beside %s is rejected', (_name, more, code) => {
    const bytes = payload();
    const annotations = { [SIGNATURE]: sign('sha256', bytes, privateKey).toString('base64'), ...more };
    expect(codeOf(verify(bytes, { annotations }))).toBe(code);
  });
});

describe('an old attestation', () => {
  const statement = bomPayload(SUBJECT);
  const envelope = (changes: object = {}, signed: Uint8Array = preAuthEncoding(INTOTO, statement)): Buffer =>
    Buffer.from(
      JSON.stringify({
        payloadType: INTOTO,
        payload: Buffer.from(statement).toString('base64'),
        signatures: [{ keyid: '', sig: sign('sha256', signed, privateKey).toString('base64') }],
        ...changes,
      }),
    );
  const check = (bytes: Buffer): Verification =>
    verify(bytes, { kind: 'attestation', annotations: { [SIGNATURE]: '' } });

  test('counts as its statement', () => {
    expect(check(envelope())).toMatchObject({
      attestation: { format: 'legacy', statement: { predicateType: 'https://cyclonedx.org/bom' } },
    });
  });

  test.each<readonly [string, string, object]>([
    ['of another payload type', 'PAYLOAD_TYPE_UNSUPPORTED', { payloadType: 'text/plain' }],
    ['without signatures', 'BUNDLE_MALFORMED', { signatures: [] }],
    ['with a payload that was changed', 'KEY_UNKNOWN', { payload: Buffer.from('{}').toString('base64') }],
    ['with a payload that is no base64', 'BUNDLE_MALFORMED', { payload: '{}' }],
  ])('%s is rejected', (_name, code, changes) => {
    expect(codeOf(check(envelope(changes)))).toBe(code);
  });

  test('about another image is rejected', () => {
    const other = bomPayload(digestOf('x'));
    const bytes = envelope({ payload: Buffer.from(other).toString('base64') }, preAuthEncoding(INTOTO, other));
    expect(codeOf(check(bytes))).toBe('SUBJECT_MISMATCH');
  });

  test('is no signature: a payload signed as one kind is not read as the other', () => {
    expect(codeOf(verify(envelope()))).toBe('STATEMENT_INVALID');
    expect(codeOf(check(payload()))).toBe('BUNDLE_MALFORMED');
  });
});
