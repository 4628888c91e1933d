import { generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { INTOTO_PAYLOAD_TYPE, preAuthEncoding } from '../../src/intoto/dsse.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { decide } from '../../src/policy/decide.ts';
import type { Decision } from '../../src/policy/decision.ts';
import { loadPolicies } from '../../src/policy/load.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { verifyBundle } from '../../src/verify/verifier.ts';
import { edit, type BundleJson } from '../support/bundle-json.ts';
import { bomPayload, signaturePayload, startSigning, type Signing } from '../support/sandbox-bundles.ts';

const SUBJECT = digestOf('an image');
const NAME = 'registry.example.com/prod/app';
const RELEASE = 'https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main';
const CLAIMS = {
  sub: RELEASE,
  repository: 'acme/app',
  ref: 'refs/heads/main',
  workflow_ref: 'acme/app/.github/workflows/release.yml@refs/heads/main',
};

let signing: Signing & AsyncDisposable;
let policies: readonly Policy[];
let good: Uint8Array;

beforeAll(async () => {
  signing = await startSigning();
  const text = `apiVersion: boltseal.dev/v1
kind: ImagePolicy
metadata: { name: production }
images: [registry.example.com/prod/**]
signers:
  release: { keyless: { issuer: "${signing.sandbox.issuer}", identity: "${RELEASE}" } }
require:
  - { id: signed, signature: { by: release } }`;
  policies = await loadPolicies([{ path: 'policy.yaml', text }]);
  good = await signing.sign(signaturePayload(SUBJECT), { claims: CLAIMS });
});
afterAll(() => signing[Symbol.asyncDispose]());

/** From the bytes of bundles to the decision, as an image's verification goes. */
function decideOn(...bundles: readonly Uint8Array[]): Decision {
  const verifications = bundles.map((bytes) => verifyBundle({ bytes }, SUBJECT, { trust: signing.trust }));
  const attestations = verifications.flatMap((found) => (found.ok ? [found.attestation] : []));
  const rejections = verifications.flatMap((found, at) =>
    found.ok ? [] : [{ id: digestOf(bundles[at] ?? ''), rejection: found.rejection }],
  );
  return decide(policies, { subject: SUBJECT, name: NAME, attestations, rejections }, new Date());
}

/** The codes of the candidates that were looked at. */
function codesOf({ policies: decided }: Decision): readonly (string | undefined)[] {
  return decided.flatMap(({ requirements }) =>
    requirements.flatMap(({ candidates }) => candidates.map(({ code }) => code)),
  );
}

/** An envelope by whoever wants to make one, with the certificate and the proofs of the good bundle beside it. */
function forge(payload: Uint8Array): Uint8Array {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const sig = signBytes('sha256', preAuthEncoding(INTOTO_PAYLOAD_TYPE, payload), privateKey).toString('base64');
  return edit(good, (bundle) => {
    bundle.dsseEnvelope = {
      payload: Buffer.from(payload).toString('base64'),
      payloadType: INTOTO_PAYLOAD_TYPE,
      signatures: [{ sig }],
    };
  });
}

describe('an image', () => {
  test('signed by the release workflow is allowed', () => {
    expect(decideOn(good)).toMatchObject({ outcome: 'allowed' });
  });

  test('with more than it needs is allowed still: what is rejected spoils nothing', () => {
    expect(decideOn(Buffer.from('{'), good)).toMatchObject({ outcome: 'allowed' });
  });

  test.each<[string, string, () => Promise<Uint8Array> | Uint8Array]>([
    [
      'a valid signature for another digest',
      'SUBJECT_MISMATCH',
      () => signing.sign(signaturePayload(digestOf('another')), { claims: CLAIMS }),
    ],
    [
      'a digest of another algorithm',
      'SUBJECT_MISMATCH',
      () => signing.sign(signaturePayload(digestOf('an image', 'sha512')), { claims: CLAIMS }),
    ],
    [
      'an SBOM by the right signer instead of a signature',
      'PREDICATE_TYPE_MISMATCH',
      () => signing.sign(bomPayload(SUBJECT), { claims: CLAIMS }),
    ],
    [
      'a payload signed by a stranger under the right certificate',
      'SIGNATURE_INVALID',
      () => forge(signaturePayload(SUBJECT)),
    ],
    ['an envelope that nobody signed', 'BUNDLE_MALFORMED', () => edit(good, (b) => (b.dsseEnvelope.signatures = []))],
    [
      'a bare envelope without proofs',
      'BUNDLE_MALFORMED',
      () => edit(good, (b) => Object.assign(b, { verificationMaterial: undefined })),
    ],
    [
      'another identity',
      'SIGNER_MISMATCH',
      () => signing.sign(signaturePayload(SUBJECT), { claims: { sub: 'https://example.com/mallory' } }),
    ],
    [
      'an identity that contains the right one',
      'SIGNER_MISMATCH',
      () => signing.sign(signaturePayload(SUBJECT), { claims: { sub: `https://evil.example/?x=${RELEASE}` } }),
    ],
    [
      'an identity that goes on after the right one',
      'SIGNER_MISMATCH',
      () => signing.sign(signaturePayload(SUBJECT), { claims: { sub: `${RELEASE}-evil` } }),
    ],
    [
      'a repository whose name goes on',
      'SIGNER_MISMATCH',
      () => signing.sign(signaturePayload(SUBJECT), { claims: { sub: RELEASE.replace('acme/app', 'acme/app-evil') } }),
    ],
    [
      'a key instead of a certificate',
      'KEY_UNKNOWN',
      () =>
        edit(good, (b) => {
          delete b.verificationMaterial.certificate;
          b.verificationMaterial['publicKey'] = { hint: '' };
        }),
    ],
    [
      'no time that somebody else vouches for',
      'TIMESTAMP_MISSING',
      async () =>
        edit(
          await signing.sign(signaturePayload(SUBJECT), { claims: CLAIMS, rekorVersion: 2 }),
          (b) => delete b.verificationMaterial.timestampVerificationData,
        ),
    ],
    ['no log entry', 'LOG_ENTRY_MISSING', () => edit(good, (b) => (b.verificationMaterial.tlogEntries = []))],
    [
      'bytes that are no bundle',
      'BUNDLE_MALFORMED',
      () => Buffer.from('{"payloadType":"application/vnd.in-toto+json"}'),
    ],
  ])('with %s is denied', async (_what, code, make) => {
    const decision = decideOn(await make());
    expect(decision.outcome).toBe('denied');
    expect(codesOf(decision)).toEqual([code]);
    expect(decision.next).toContain('boltseal sign');
  });

  test('with the log entry of another artifact is denied', async () => {
    const foreign = await signing.sign(bomPayload(SUBJECT), { claims: CLAIMS });
    const { verificationMaterial } = JSON.parse(Buffer.from(foreign).toString()) as BundleJson;
    const mixed = edit(good, (b) => (b.verificationMaterial.tlogEntries = verificationMaterial.tlogEntries));
    expect(codesOf(decideOn(mixed))).toEqual(['LOG_ENTRY_MISMATCH']);
  });

  test('verified against the trust root of another Sigstore is denied', async () => {
    await using other = await startSigning();
    const found = verifyBundle({ bytes: good }, SUBJECT, { trust: other.trust });
    expect(found).toMatchObject({ ok: false, rejection: { code: 'LOG_ENTRY_MISSING' } });
    expect(found.ok ? '' : found.rejection.next).not.toBe('');
  });

  test('is denied when the decision itself goes wrong', () => {
    const broken = [{ ...policies[0], images: undefined }] as unknown as readonly Policy[];
    const decision = decide(broken, { subject: SUBJECT, name: NAME, attestations: [], rejections: [] }, new Date());
    expect(decision).toMatchObject({ outcome: 'denied', code: 'DECISION_FAILED' });
  });
});
