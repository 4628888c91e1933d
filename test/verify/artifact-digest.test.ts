import { createHash, generateKeyPairSync, sign, type KeyObject, type KeyPairKeyObjectResult } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { verifyArtifactBundle, verifyArtifactDigest, type ArtifactVerification } from '../../src/verify/artifact.ts';
import { loadDigestVerifier, type FileDigests } from '../../src/verify/digest-signature.ts';
import { loadTrustedKey, NO_TRUST, withKeys, type TrustRoot } from '../../src/verify/trust-root.ts';

const FILE = Buffer.from('a file');
const OTHER = Buffer.from('another file');
const UNLOGGED = { keyThresholds: { logEntries: 0, times: 0 } };

type Hash = 'sha256' | 'sha384' | 'sha512';
interface KeyKind {
  readonly name: string;
  readonly hash: Hash;
  readonly make: () => KeyPairKeyObjectResult;
}
const KINDS: readonly KeyKind[] = [
  { name: 'P-256', hash: 'sha256', make: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }) },
  { name: 'P-384', hash: 'sha384', make: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }) },
  { name: 'P-521', hash: 'sha512', make: () => generateKeyPairSync('ec', { namedCurve: 'P-521' }) },
  { name: 'RSA 2048', hash: 'sha256', make: () => generateKeyPairSync('rsa', { modulusLength: 2048 }) },
  { name: 'RSA 3072', hash: 'sha256', make: () => generateKeyPairSync('rsa', { modulusLength: 3072 }) },
];

function digests(file: Uint8Array, ...hashes: readonly Hash[]): FileDigests {
  return Object.fromEntries(hashes.map((hash) => [hash, createHash(hash).update(file).digest()]));
}

function bundleOf(signature: Buffer, hash: Hash, file: Uint8Array = FILE): Buffer {
  const digest = createHash(hash).update(file).digest('base64');
  return Buffer.from(
    JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: { publicKey: { hint: '' }, tlogEntries: [] },
      messageSignature: {
        messageDigest: { algorithm: `SHA2_${hash.slice(3)}`, digest },
        signature: signature.toString('base64'),
      },
    }),
  );
}

function trusting(...keys: readonly KeyObject[]): TrustRoot {
  return withKeys(
    NO_TRUST,
    keys.map((key) => loadTrustedKey(key.export({ format: 'der', type: 'spki' }))),
  );
}

function codeOf(found: ArtifactVerification): string {
  return found.ok ? 'accepted' : found.rejection.code;
}

describe.each(KINDS)('a signature with $name', ({ hash, make }) => {
  const { publicKey, privateKey } = make();
  const trust = trusting(publicKey);
  const options = { trust, ...UNLOGGED };
  const signature = sign(hash, FILE, privateKey);

  test('verifies by the file and by its digest alone', async () => {
    const bytes = bundleOf(signature, hash);
    expect(codeOf(verifyArtifactBundle(bytes, FILE, options))).toBe('accepted');
    expect(codeOf(await verifyArtifactDigest(bytes, digests(FILE, hash), options))).toBe('accepted');
  });

  test('does not verify for the digest of another file', async () => {
    const bytes = bundleOf(signature, hash);
    expect(codeOf(await verifyArtifactDigest(bytes, digests(OTHER, hash), options))).toBe('SUBJECT_MISMATCH');
    const claimed = bundleOf(signature, hash, OTHER);
    expect(codeOf(await verifyArtifactDigest(claimed, digests(OTHER, hash), options))).toBe('KEY_UNKNOWN');
  });

  test('does not verify with another key of its kind', async () => {
    const others = { trust: trusting(make().publicKey), ...UNLOGGED };
    expect(codeOf(await verifyArtifactDigest(bundleOf(signature, hash), digests(FILE, hash), others))).toBe(
      'KEY_UNKNOWN',
    );
  });

  test('needs the digest of its own algorithm', async () => {
    const wrong = hash === 'sha256' ? 'sha512' : 'sha256';
    const bytes = bundleOf(signature, wrong);
    expect(codeOf(await verifyArtifactDigest(bytes, digests(FILE, wrong), options))).toBe('CONTENT_NEEDED');
    expect(codeOf(await verifyArtifactDigest(bundleOf(signature, hash), digests(FILE, wrong), options))).toBe(
      'CONTENT_NEEDED',
    );
  });

  test('agrees with Node on a hundred signatures, each also with one bit changed', async () => {
    const verify = await loadDigestVerifier();
    for (let at = 0; at < 100; at += 1) {
      const file = Buffer.from(`file ${at}`);
      const made = sign(hash, file, privateKey);
      expect(verify(publicKey, digests(file, hash), made)).toBe(true);
      made[made.length - 1 - (at % 20)] = (made.at(-1 - (at % 20)) ?? 0) ^ 1;
      expect(verify(publicKey, digests(file, hash), made)).toBe(false);
    }
  }, 60_000);
});

test('Ed25519 signs the file itself: its digest is not enough', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const options = { trust: trusting(publicKey), ...UNLOGGED };
  const bytes = bundleOf(sign(null, FILE, privateKey), 'sha256');
  expect(codeOf(verifyArtifactBundle(bytes, FILE, options))).toBe('accepted');
  expect(codeOf(await verifyArtifactDigest(bytes, digests(FILE, 'sha256', 'sha512'), options))).toBe('CONTENT_NEEDED');
});

test('an RSA signature with other padding does not verify', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pss = sign('sha256', FILE, { key: privateKey, padding: 6, saltLength: 32 });
  const verify = await loadDigestVerifier();
  expect(verify(publicKey, digests(FILE, 'sha256'), pss)).toBe(false);
});

test('a key that is trusted besides one of a kind that signs no digest still counts', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const trust = trusting(generateKeyPairSync('ed25519').publicKey, publicKey);
  const bytes = bundleOf(sign('sha256', FILE, privateKey), 'sha256');
  expect(codeOf(await verifyArtifactDigest(bytes, digests(FILE, 'sha256'), { trust, ...UNLOGGED }))).toBe('accepted');
});

test('a signature with a key needs a log entry unless the caller says otherwise', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const bytes = bundleOf(sign('sha256', FILE, privateKey), 'sha256');
  const trust = trusting(publicKey);
  expect(codeOf(await verifyArtifactDigest(bytes, digests(FILE, 'sha256'), { trust }))).toBe('LOG_ENTRY_MISSING');
});
