import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { digestOf, type Digest } from '../oci/digest.ts';

export type HashName = 'sha256' | 'sha384' | 'sha512';
type Scheme = { readonly ok: true; readonly hash: HashName | undefined } | { readonly ok: false };

const HASH_BY_CURVE: Readonly<Record<string, HashName>> = {
  prime256v1: 'sha256',
  secp384r1: 'sha384',
  secp521r1: 'sha512',
};

const MIN_RSA_BITS = 2048;

/**
 * The signature scheme a key stands for: the registry of Sigstore's algorithms pairs each kind of key with one. The key
 * alone decides, never a name beside the signature, so that there is nothing to substitute. No hash means Ed25519.
 */
export function schemeOf(key: KeyObject): Scheme {
  const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ed25519') return { ok: true, hash: undefined };
  if (key.asymmetricKeyType === 'rsa' && modulusLength >= MIN_RSA_BITS) return { ok: true, hash: 'sha256' };
  const hash = key.asymmetricKeyType === 'ec' ? HASH_BY_CURVE[namedCurve] : undefined;
  return hash === undefined ? { ok: false } : { ok: true, hash };
}

/**
 * Verifies with the hash that belongs to the key: @sigstore/verify names none for envelopes, and Node then takes SHA-256
 * for every curve. ECDSA signatures are DER; the fixed-length form is not accepted.
 */
export function verifyWith(key: KeyObject, data: Uint8Array, signature: Uint8Array): boolean {
  const scheme = schemeOf(key);
  if (!scheme.ok) return false;
  try {
    return verify(scheme.hash ?? null, data, key, signature);
  } catch {
    return false;
  }
}

export function spkiOf(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' });
}

/** sha256 of the DER SubjectPublicKeyInfo: one name for a key, whatever file it came in. */
export function fingerprintOf(key: KeyObject): Digest {
  return digestOf(spkiOf(key));
}

/** PEM (SPKI or PKCS#1) or DER SubjectPublicKeyInfo. Undefined when it is neither, a private key included. */
export function readPublicKey(bytes: Uint8Array): KeyObject | undefined {
  const text = Buffer.from(bytes).toString('latin1');
  try {
    if (!text.includes('-----BEGIN')) return createPublicKey({ key: Buffer.from(bytes), format: 'der', type: 'spki' });
    return /^\s*-----BEGIN (?:RSA )?PUBLIC KEY-----/.test(text) ? createPublicKey(text) : undefined;
  } catch {
    return undefined;
  }
}
