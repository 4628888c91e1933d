import { createHash, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { verifyLegacy, type LegacyLayer } from '../../src/verify/legacy.ts';
import { publicGoodTrustRoot } from '../../src/verify/public-good.ts';
import { loadTrustedKey, loadTrustRoot, NO_TRUST, withKeys, type TrustRoot } from '../../src/verify/trust-root.ts';
import type { Verification } from '../../src/verify/verification.ts';
import { VECTORS } from '../support/vectors.ts';

const folder = join(VECTORS ?? '', 'cosign-legacy');
const UNLOGGED = { keyThresholds: { logEntries: 0, times: 0 } };

/** A trust root that holds nothing but the log whose key lies beside the vectors. */
function rekorOnly(): TrustRoot {
  const key = createPublicKey(readFileSync(join(folder, 'rekor.pub'))).export({ format: 'der', type: 'spki' });
  const validFor = { start: '2021-01-01T00:00:00Z' };
  return loadTrustRoot(
    JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [
        {
          baseUrl: 'https://rekor.example.com',
          hashAlgorithm: 'SHA2_256',
          publicKey: { rawBytes: key.toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor },
          logId: { keyId: createHash('sha256').update(key).digest('base64') },
        },
      ],
    }),
  );
}

/** The vectors have no file with the key of this one; the log kept it. */
function withLoggedKey(root: TrustRoot, name: string): TrustRoot {
  const log = JSON.parse(layerOf(name).annotations['dev.sigstore.cosign/bundle'] ?? '') as {
    Payload: { body: string };
  };
  const body = JSON.parse(Buffer.from(log.Payload.body, 'base64').toString()) as {
    spec: { signature: { publicKey: { content: string } } };
  };
  const pem = Buffer.from(body.spec.signature.publicKey.content, 'base64');
  return withKeys(root, [loadTrustedKey(pem, { name: 'logged.pub' })]);
}

function withCosignKey(root: TrustRoot): TrustRoot {
  return withKeys(root, [loadTrustedKey(readFileSync(join(folder, 'cosign.pub')), { name: 'cosign.pub' })]);
}

/** containers/image, directory transport: a NUL, the format and a line break before the JSON. */
function layerOf(name: string): LegacyLayer {
  const text = readFileSync(join(folder, name, 'signature-1'), 'latin1');
  const { payload, annotations } = JSON.parse(text.slice(text.indexOf('{'))) as {
    payload: string;
    annotations: Record<string, string>;
  };
  const bytes = Buffer.from(payload, 'base64');
  return { kind: 'signature', bytes, annotations, manifestDigest: digestOf(bytes) };
}

function verify(name: string, trust: TrustRoot, options = {}): Verification {
  return verifyLegacy(layerOf(name), digestOf(readFileSync(join(folder, name, 'manifest.json'))), {
    trust,
    ...options,
  });
}

describe.skipIf(VECTORS === undefined)(
  'old cosign signatures made by others (needs the test vectors beside the project, or in BOLTSEAL_VECTORS)',
  () => {
    test('by a key, without a log, where the caller asks for none', () => {
      expect(verify('dir-img-cosign-valid', withCosignKey(NO_TRUST), UNLOGGED)).toMatchObject({
        ok: true,
        attestation: { format: 'legacy', signer: { kind: 'key', name: 'cosign.pub' } },
      });
    });

    test('the same, where a log entry is asked for', () => {
      expect(verify('dir-img-cosign-valid', withCosignKey(NO_TRUST))).toMatchObject({
        rejection: { code: 'LOG_ENTRY_MISSING' },
      });
    });

    test('the same, with a key that did not sign', () => {
      expect(verify('dir-img-cosign-valid', NO_TRUST, UNLOGGED)).toMatchObject({ rejection: { code: 'KEY_UNKNOWN' } });
    });

    test('by a key, beside a manifest that was changed', () => {
      expect(verify('dir-img-cosign-modified-manifest', withCosignKey(NO_TRUST), UNLOGGED)).toMatchObject({
        ok: false,
        rejection: { code: 'SUBJECT_MISMATCH' },
      });
    });

    test.each([
      ['the key of the log', rekorOnly],
      ['the public-good root', publicGoodTrustRoot],
    ])('by a key, with a promise of the log, checked with %s', (_name, root) => {
      const name = 'dir-img-cosign-key-rekor-valid';
      expect(verify(name, withLoggedKey(root(), name))).toMatchObject({
        ok: true,
        attestation: { signedAt: expect.any(Date), logEntries: [{ index: expect.any(String) }] },
      });
      expect(verify(name, withCosignKey(root()))).toMatchObject({ rejection: { code: 'KEY_UNKNOWN' } });
    });

    test('by an identity', () => {
      expect(verify('dir-img-cosign-fulcio-rekor-valid', publicGoodTrustRoot())).toMatchObject({
        ok: true,
        attestation: { signer: { identity: 'mitr@redhat.com', issuer: 'https://github.com/login/oauth' } },
      });
    });

    test('by an identity that no authority of the root vouches for', () => {
      expect(verify('dir-img-cosign-fulcio-rekor-valid', rekorOnly())).toMatchObject({
        rejection: { code: 'CERTIFICATE_UNTRUSTED' },
      });
    });
  },
);
