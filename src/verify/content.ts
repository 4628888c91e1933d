import { createHash, timingSafeEqual, type KeyObject } from 'node:crypto';
import type { Bundle } from '@sigstore/bundle';
import type { SignedEntity } from '@sigstore/verify';
import { INTOTO_PAYLOAD_TYPE, preAuthEncoding } from '../intoto/dsse.ts';
import type { DigestVerifier, FileDigests } from './digest-signature.ts';
import { verifyWith, type HashName } from './public-key.ts';
import { Rejected } from './rejection.ts';

export type SignatureContent = SignedEntity['signature'];

/** Signed bytes and the signature over them. */
export interface Content {
  readonly signature: Buffer;
  /** What the signature is made over: the pre-authentication encoding of an envelope, or a file. */
  readonly signed: Uint8Array | DigestedFile;
  /** What the log entry of an envelope has the digest of; of a file, the file itself. */
  readonly payload: Uint8Array | DigestedFile;
}

/** A file of which only digests are known, and what verifies with those. */
export interface DigestedFile {
  readonly digests: FileDigests;
  readonly verify: DigestVerifier;
}

export interface Envelope extends Content {
  readonly payload: Uint8Array;
}

/**
 * The in-toto envelope of a bundle. The payload is not read here: nothing is verified yet.
 *
 * @throws Rejected CONTENT_KIND_MISMATCH, PAYLOAD_TYPE_UNSUPPORTED, BUNDLE_MALFORMED
 */
export function envelopeContent({ content }: Bundle): Envelope {
  if (content.$case !== 'dsseEnvelope')
    throw new Rejected('CONTENT_KIND_MISMATCH', 'the bundle signs a file and holds no attestation');
  const { payload, payloadType, signatures } = content.dsseEnvelope;
  if (payloadType !== INTOTO_PAYLOAD_TYPE)
    throw new Rejected('PAYLOAD_TYPE_UNSUPPORTED', `the envelope holds "${payloadType}", not an in-toto statement`);
  const [only, ...more] = signatures;
  if (only === undefined || more.length > 0)
    throw new Rejected('BUNDLE_MALFORMED', `the envelope has ${signatures.length} signatures where it needs one`);
  return { signature: Buffer.from(only.sig), signed: preAuthEncoding(payloadType, payload), payload };
}

/**
 * The content as @sigstore/verify asks for it. Its own forms know SHA-256 only and take a message's digest from the
 * bundle; here every digest is computed, with the algorithm that fits the length of the one compared.
 */
export function toSignatureContent(content: Content): SignatureContent {
  const { signature, signed, payload } = content;
  return {
    signature,
    compareSignature: (other) => isEqual(other, signature),
    compareDigest: (digest) => isDigestOf(digest, payload),
    compareSignedDigest: (digest) => isDigestOf(digest, signed),
    verifySignature: (key: KeyObject) => isSignedWith(key, content),
  };
}

export function isSignedWith(key: KeyObject, { signature, signed }: Content): boolean {
  return signed instanceof Uint8Array
    ? verifyWith(key, signed, signature)
    : signed.verify(key, signed.digests, signature);
}

const HASH_BY_LENGTH: Readonly<Record<number, HashName>> = { 32: 'sha256', 48: 'sha384', 64: 'sha512' };

/** Whether this is the digest of the content, by the SHA-2 algorithm of its length. */
export function isDigestOf(digest: Uint8Array, content: Uint8Array | DigestedFile): boolean {
  const hash = hashOfLength(digest);
  if (hash === undefined) return false;
  const own = content instanceof Uint8Array ? createHash(hash).update(content).digest() : content.digests[hash];
  return own !== undefined && isEqual(digest, own);
}

export function hashOfLength(digest: Uint8Array): HashName | undefined {
  return HASH_BY_LENGTH[digest.length];
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
