import { generateKeyPairSync, sign as signBytes, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { INTOTO_PAYLOAD_TYPE, preAuthEncoding } from '../../src/intoto/dsse.ts';
import { digestOf } from '../../src/oci/digest.ts';
import type { RejectionCode } from '../../src/verify/rejection.ts';
import { loadTrustedKey, NO_TRUST, withKeys, type TrustRoot } from '../../src/verify/trust-root.ts';
import type { Verification } from '../../src/verify/verification.ts';
import { verifyBundle } from '../../src/verify/verifier.ts';
import { bomPayload, signaturePayload, startSigning, type Signing } from '../support/sandbox-bundles.ts';
import { edit, type BundleJson } from '../support/bundle-json.ts';

const SUBJECT = digestOf('an image');
let signing: Signing & AsyncDisposable;
let v1: Uint8Array;
let v2: Uint8Array;
let foreign: Uint8Array;

beforeAll(async () => {
  signing = await startSigning();
  v1 = await signing.sign(signaturePayload(SUBJECT));
  v2 = await signing.sign(signaturePayload(SUBJECT), { rekorVersion: 2 });
  foreign = await signing.sign(bomPayload(SUBJECT));
});
afterAll(() => signing[Symbol.asyncDispose]());

function verify(bytes: Uint8Array, trust: TrustRoot = signing.trust, subject = SUBJECT): Verification {
  return verifyBundle({ bytes }, subject, { trust });
}

function codeOf(verification: Verification): RejectionCode | 'accepted' {
  return verification.ok ? 'accepted' : verification.rejection.code;
}

describe('a good bundle', () => {
  test.each([1, 2])('with Rekor v%i is accepted, and says who, when and where', (version) => {
    const found = verify(version === 1 ? v1 : v2);
    expect(found).toMatchObject({
      ok: true,
      attestation: {
        subject: SUBJECT,
        signer: { kind: 'certificate', identity: signing.sandbox.identity, issuer: signing.sandbox.issuer },
        statement: { predicateType: 'https://sigstore.dev/cosign/sign/v1' },
      },
    });
    if (!found.ok) return;
    expect(found.attestation.logEntries).toHaveLength(1);
    expect(found.attestation.signedAt).toEqual(
      found.attestation.times.map(({ at }) => at).toSorted((a, b) => +a - +b)[0],
    );
  });

  test('keeps the digest of the manifest that carried it', () => {
    const manifestDigest = digestOf('a manifest');
    expect(verifyBundle({ bytes: v1, manifestDigest }, SUBJECT, { trust: signing.trust })).toMatchObject({
      attestation: { manifestDigest, bundleDigest: digestOf(v1) },
    });
  });

  test('names the extensions of the certificate', async () => {
    const claims = {
      repository: 'acme/app',
      ref: 'refs/heads/main',
      workflow_ref: 'acme/app/.github/workflows/r.yml@refs/heads/main',
    };
    expect(verify(await signing.sign(signaturePayload(SUBJECT), { claims }))).toMatchObject({
      attestation: {
        signer: {
          extensions: {
            sourceRepositoryUri: 'https://github.com/acme/app',
            githubWorkflowRepository: 'acme/app',
            sourceRepositoryRef: 'refs/heads/main',
          },
        },
      },
    });
  });
});

describe('what a bundle is about', () => {
  test('another image is not this one', () => {
    expect(codeOf(verify(v1, signing.trust, digestOf('another image')))).toBe('SUBJECT_MISMATCH');
  });

  test('a digest of another algorithm is not this one', () => {
    expect(codeOf(verify(v1, signing.trust, digestOf('an image', 'sha512')))).toBe('SUBJECT_MISMATCH');
  });

  test.each([
    ['in upper case', { sha256: SUBJECT.slice(7).toUpperCase() }],
    ['under another algorithm', { sha512: SUBJECT.slice(7) }],
    ['cut short', { sha256: SUBJECT.slice(7, 40) }],
    ['with the algorithm in front', { sha256: SUBJECT }],
  ])('the digest %s is not it', async (_what, digest) => {
    const statement = {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ digest }],
      predicateType: 'x:y',
      predicate: {},
    };
    expect(codeOf(verify(await signing.sign(Buffer.from(JSON.stringify(statement)))))).toBe('SUBJECT_MISMATCH');
  });

  test.each([
    ['no subject', { _type: 'https://in-toto.io/Statement/v1', subject: [], predicateType: 'x:y', predicate: {} }],
    ['another type', { _type: 'https://example.com/Statement', subject: [{ digest: {} }], predicateType: 'x:y' }],
    ['no statement', ['hello']],
  ])('%s is no statement', async (_what, payload) => {
    expect(codeOf(verify(await signing.sign(Buffer.from(JSON.stringify(payload)))))).toBe('STATEMENT_INVALID');
  });

  test('a statement with a key twice is refused, since readers would differ', async () => {
    const text = Buffer.from(signaturePayload(SUBJECT)).toString().replace('{', '{"predicateType":"x:y",');
    expect(codeOf(verify(await signing.sign(Buffer.from(text))))).toBe('STATEMENT_INVALID');
  });
});

describe('a bundle that was changed', () => {
  const other = (): BundleJson => JSON.parse(Buffer.from(foreign).toString()) as BundleJson;

  test.each<[string, RejectionCode, (bundle: BundleJson) => void]>([
    ['another payload', 'SIGNATURE_INVALID', (b) => (b.dsseEnvelope.payload = other().dsseEnvelope.payload)],
    ['another signature', 'SIGNATURE_INVALID', (b) => (b.dsseEnvelope.signatures = other().dsseEnvelope.signatures)],
    [
      'another certificate',
      'SIGNATURE_INVALID',
      (b) => (b.verificationMaterial.certificate = other().verificationMaterial.certificate),
    ],
    [
      'another log entry',
      'LOG_ENTRY_MISMATCH',
      (b) => (b.verificationMaterial.tlogEntries = other().verificationMaterial.tlogEntries),
    ],
    ['no log entry', 'LOG_ENTRY_MISSING', (b) => (b.verificationMaterial.tlogEntries = [])],
    [
      'a log entry twice',
      'LOG_ENTRY_DUPLICATE',
      (b) => b.verificationMaterial.tlogEntries.push(...b.verificationMaterial.tlogEntries),
    ],
    ['no signature', 'BUNDLE_MALFORMED', (b) => (b.dsseEnvelope.signatures = [])],
    ['two signatures', 'BUNDLE_MALFORMED', (b) => b.dsseEnvelope.signatures.push(...other().dsseEnvelope.signatures)],
    ['another payload type', 'PAYLOAD_TYPE_UNSUPPORTED', (b) => (b.dsseEnvelope.payloadType = 'application/json')],
    ['another media type', 'BUNDLE_VERSION_UNSUPPORTED', (b) => (b.mediaType += '-evil')],
    ['a promise and no proof', 'BUNDLE_MALFORMED', (b) => delete b.verificationMaterial.tlogEntries[0]?.inclusionProof],
    [
      'a later time from the log',
      'LOG_ENTRY_INVALID',
      (b) =>
        b.verificationMaterial.tlogEntries.forEach((e) => (e.integratedTime = String(Number(e.integratedTime) + 1))),
    ],
    [
      'a negative index',
      'LOG_ENTRY_INVALID',
      (b) => b.verificationMaterial.tlogEntries.forEach((e) => (e.logIndex = '-1')),
    ],
    [
      'a huge index',
      'LOG_ENTRY_INVALID',
      (b) => b.verificationMaterial.tlogEntries.forEach((e) => (e.logIndex = '9223372036854775808')),
    ],
    [
      'an index in hex',
      'LOG_ENTRY_INVALID',
      (b) => b.verificationMaterial.tlogEntries.forEach((e) => (e.logIndex = '0x1')),
    ],
    [
      'a negative index in the proof',
      'LOG_ENTRY_INVALID',
      (b) => b.verificationMaterial.tlogEntries.forEach((e) => e.inclusionProof && (e.inclusionProof.logIndex = '-1')),
    ],
    [
      'a hash more in the proof',
      'LOG_ENTRY_INVALID',
      (b) =>
        b.verificationMaterial.tlogEntries.forEach(
          (e) => e.inclusionProof && (e.inclusionProof.hashes = [...(e.inclusionProof.hashes ?? []), 'AAAA']),
        ),
    ],
    ['a key beside the certificate', 'BUNDLE_MALFORMED', (b) => (b.verificationMaterial['publicKey'] = { hint: 'x' })],
    ['a message signature beside the envelope', 'BUNDLE_MALFORMED', (b) => (b['messageSignature'] = {})],
  ])('to have %s', (_what, code, change) => {
    expect(codeOf(verify(edit(v1, change)))).toBe(code);
  });

  test('back to what it was is accepted', () => {
    expect(codeOf(verify(edit(v1, () => undefined)))).toBe('accepted');
  });

  test.each<[string, RejectionCode, (bundle: BundleJson) => void]>([
    [
      'no timestamp',
      'TIMESTAMP_MISSING',
      (b) => (b.verificationMaterial.timestampVerificationData = { rfc3161Timestamps: [] }),
    ],
    [
      'a timestamp twice',
      'TIMESTAMP_DUPLICATE',
      (b) =>
        b.verificationMaterial.timestampVerificationData?.rfc3161Timestamps.push(
          ...b.verificationMaterial.timestampVerificationData.rfc3161Timestamps,
        ),
    ],
    [
      'a timestamp that is no timestamp',
      'TIMESTAMP_INVALID',
      (b) => (b.verificationMaterial.timestampVerificationData = { rfc3161Timestamps: [{ signedTimestamp: 'AAAA' }] }),
    ],
  ])('with Rekor v2 to have %s', (_what, code, change) => {
    expect(codeOf(verify(edit(v2, change)))).toBe(code);
  });

  test('with Rekor v2 to claim a time that nobody signed: the claim counts for nothing', () => {
    const changed = edit(v2, (b) => {
      for (const entry of b.verificationMaterial.tlogEntries) entry.integratedTime = '1';
    });
    const found = verify(changed);
    expect(found.ok && found.attestation.times.every(({ source }) => source === 'timestamp-authority')).toBe(true);
  });

  test.each(['', '{', '[]', 'null', '{"mediaType":1}', '{"a":1,"a":2}'])('to be %j is malformed', (text) => {
    expect(codeOf(verify(Buffer.from(text)))).toBe('BUNDLE_MALFORMED');
  });
});

describe('evidence that counts', () => {
  test('a log that is not in the trust root does not count, and does not spoil one that is', () => {
    const changed = edit(v1, (b) => {
      const [entry] = b.verificationMaterial.tlogEntries;
      if (entry !== undefined)
        b.verificationMaterial.tlogEntries.push({ ...entry, logId: { keyId: Buffer.alloc(32).toString('base64') } });
    });
    expect(codeOf(verify(changed))).toBe('accepted');
    const none = { ...signing.trust, material: { ...signing.trust.material, tlogs: [] } };
    expect(codeOf(verify(v1, none))).toBe('LOG_ENTRY_MISSING');
  });

  test('two entries are asked for: one log twice is one', () => {
    const options = { trust: signing.trust, thresholds: { logEntries: 2 } };
    expect(codeOf(verifyBundle({ bytes: v1 }, SUBJECT, options))).toBe('LOG_ENTRY_MISSING');
  });

  test('a timestamp authority that is not in the trust root does not count', () => {
    const none = { ...signing.trust, material: { ...signing.trust.material, timestampAuthorities: [] } };
    expect(codeOf(verify(v2, none))).toBe('TIMESTAMP_MISSING');
  });

  test('a certificate authority that is not in the trust root does not count', () => {
    const none = { ...signing.trust, material: { ...signing.trust.material, certificateAuthorities: [] } };
    expect(codeOf(verify(v1, none))).toBe('CERTIFICATE_UNTRUSTED');
  });

  test('a CT log that is not in the trust root does not count', () => {
    const none = { ...signing.trust, material: { ...signing.trust.material, ctlogs: [] } };
    expect(codeOf(verify(v1, none))).toBe('CERTIFICATE_NOT_LOGGED');
  });

  test.each([
    ['ended', { start: new Date(0), end: new Date('2020-01-01') }],
    ['has not begun', { start: new Date('2999-01-01'), end: new Date('2999-12-31') }],
  ])('the key of a log whose time %s does not count, also where the log promises no time', (_what, validFor) => {
    const { material } = signing.trust;
    const retired = {
      ...signing.trust,
      material: { ...material, tlogs: material.tlogs.map((log) => ({ ...log, validFor })) },
    };
    expect(codeOf(verify(v2, retired))).toBe('LOG_KEY_OUTSIDE_VALIDITY');
    expect(codeOf(verify(v1, retired))).toBe('LOG_ENTRY_INVALID');
  });
});

describe('a bundle signed with a key', () => {
  const thresholds = { logEntries: 0, times: 0, certificateLogs: 0 };
  const payload = Buffer.from(signaturePayload(SUBJECT));

  function keyBundle(key: KeyObject, hash: string | null, hint = ''): Uint8Array {
    const sig = signBytes(hash, preAuthEncoding(INTOTO_PAYLOAD_TYPE, payload), key).toString('base64');
    return Buffer.from(
      JSON.stringify({
        mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        verificationMaterial: { publicKey: { hint }, tlogEntries: [] },
        dsseEnvelope: { payload: payload.toString('base64'), payloadType: INTOTO_PAYLOAD_TYPE, signatures: [{ sig }] },
      }),
    );
  }

  const trusting = (...keys: readonly KeyObject[]): TrustRoot =>
    withKeys(
      NO_TRUST,
      keys.map((key, at) =>
        loadTrustedKey(Buffer.from(key.export({ type: 'spki', format: 'pem' })), { name: `key ${at}` }),
      ),
    );

  const check = (bytes: Uint8Array, trust: TrustRoot): Verification =>
    verifyBundle({ bytes }, SUBJECT, { trust, thresholds });

  test.each([
    ['P-256', generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'sha256'],
    ['P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' }), 'sha384'],
    ['P-521', generateKeyPairSync('ec', { namedCurve: 'P-521' }), 'sha512'],
    ['Ed25519', generateKeyPairSync('ed25519'), null],
    ['RSA 2048', generateKeyPairSync('rsa', { modulusLength: 2048 }), 'sha256'],
  ])('%s is accepted with the trusted key, and not with another', (_what, pair, hash) => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const found = check(keyBundle(pair.privateKey, hash), trusting(other.publicKey, pair.publicKey));
    expect(found).toMatchObject({ attestation: { signer: { kind: 'key', name: 'key 1' } } });
    expect(codeOf(check(keyBundle(pair.privateKey, hash), trusting(other.publicKey)))).toBe('KEY_UNKNOWN');
    expect(codeOf(check(keyBundle(pair.privateKey, hash), NO_TRUST))).toBe('KEY_UNKNOWN');
  });

  test('a hint that names another trusted key than the one that signed is a lie', () => {
    const [signer, other] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')];
    const trust = trusting(signer.publicKey, other.publicKey);
    const lie = trust.keys[1]?.fingerprint ?? '';
    expect(codeOf(check(keyBundle(signer.privateKey, null, lie), trust))).toBe('SIGNATURE_INVALID');
    expect(codeOf(check(keyBundle(signer.privateKey, null, trust.keys[0]?.fingerprint), trust))).toBe('accepted');
  });

  test('a signature without the pre-authentication encoding is none', () => {
    const pair = generateKeyPairSync('ed25519');
    const bare = edit(keyBundle(pair.privateKey, null), (b) => {
      b.dsseEnvelope.signatures = [{ sig: signBytes(null, payload, pair.privateKey).toString('base64') }];
    });
    expect(codeOf(check(bare, trusting(pair.publicKey)))).toBe('KEY_UNKNOWN');
  });

  test('an ECDSA signature in the fixed-length form is none', () => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const data = preAuthEncoding(INTOTO_PAYLOAD_TYPE, payload);
    const fixed = signBytes('sha256', data, { key: pair.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64');
    const changed = edit(keyBundle(pair.privateKey, 'sha256'), (b) => (b.dsseEnvelope.signatures = [{ sig: fixed }]));
    expect(codeOf(check(changed, trusting(pair.publicKey)))).toBe('KEY_UNKNOWN');
  });

  test.each([
    ['RSA of 1024 bits', generateKeyPairSync('rsa', { modulusLength: 1024 })],
    ['secp256k1', generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
  ])('%s is not trusted at all', (_what, { publicKey }) => {
    expect(() => trusting(publicKey)).toThrow(/kind or size/);
  });

  test('without a log or a time is rejected unless the caller asks for none', () => {
    const pair = generateKeyPairSync('ed25519');
    const trust = trusting(pair.publicKey);
    expect(codeOf(verifyBundle({ bytes: keyBundle(pair.privateKey, null) }, SUBJECT, { trust }))).toBe(
      'LOG_ENTRY_MISSING',
    );
  });

  test('a key with a validity needs a time to hold it against', () => {
    const pair = generateKeyPairSync('ed25519');
    const key = loadTrustedKey(pair.publicKey.export({ type: 'spki', format: 'der' }), {
      validFor: { start: new Date(0) },
    });
    expect(codeOf(check(keyBundle(pair.privateKey, null), withKeys(NO_TRUST, [key])))).toBe('KEY_OUTSIDE_VALIDITY');
  });
});
