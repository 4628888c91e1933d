import { constants, publicDecrypt, type KeyObject } from 'node:crypto';
import type { ECDSA } from '@noble/curves/abstract/weierstrass.js';
import { schemeOf, type HashName } from './public-key.ts';

/** Digests of one file. The file itself is not at hand. */
export type FileDigests = Readonly<Partial<Record<HashName, Buffer>>>;

/** Whether the signature was made with the key over the file that has these digests. */
export type DigestVerifier = (key: KeyObject, digests: FileDigests, signature: Uint8Array) => boolean;

/**
 * Loads what verifies a signature over a digest. Node verifies over messages only (nodejs/node#62345), so elliptic curves
 * are @noble/curves', loaded here because few runs need them. ECDSA is FIPS 186-5, 6.4.2, with signatures in DER; RSA is
 * RFC 8017, 8.2.2.
 */
export async function loadDigestVerifier(): Promise<DigestVerifier> {
  const { p256, p384, p521 } = await import('@noble/curves/nist.js');
  const curves: Readonly<Record<string, ECDSA>> = { prime256v1: p256, secp384r1: p384, secp521r1: p521 };
  return (key, digests, signature) => {
    const digest = digestFor(key, digests);
    if (digest === undefined) return false;
    try {
      if (key.asymmetricKeyType === 'rsa') return verifyRsa(key, digest, signature);
      const curve = curves[key.asymmetricKeyDetails?.namedCurve ?? ''];
      // Many signers do not normalise s, and Node takes both.
      const options = { prehash: false, lowS: false, format: 'der' } as const;
      return curve?.verify(signature, digest, pointOf(key), options) === true;
    } catch {
      return false;
    }
  };
}

/** The digest that a signature with this key is made over; undefined when it is not there, or the key signs no digest. */
export function digestFor(key: KeyObject, digests: FileDigests): Buffer | undefined {
  const scheme = schemeOf(key);
  return scheme.ok && scheme.hash !== undefined ? digests[scheme.hash] : undefined;
}

/** DigestInfo up to the digest, for SHA-256: the one hash that RSA keys sign here. RFC 8017, 9.2, note 1. */
const SHA256_DIGEST_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex');

/** The whole block is compared: nothing in it is parsed, and so nothing can be hidden in it. */
function verifyRsa(key: KeyObject, digest: Buffer, signature: Uint8Array): boolean {
  const found = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
  return found.equals(Buffer.concat([SHA256_DIGEST_INFO, digest]));
}

/** The uncompressed point: SEC 1, 2.3.3. */
function pointOf(key: KeyObject): Uint8Array {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  return Buffer.concat([Uint8Array.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
}
