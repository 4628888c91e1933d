import type { KeyObject } from 'node:crypto';
import { BoltsealError } from '../../base/errors.ts';

type HashName = 'sha256' | 'sha384' | 'sha512';

/** How a kind of key signs: one way for each kind, as Sigstore's algorithm registry pairs them (protobuf-specs 0.5, PublicKeyDetails). */
export interface SignatureScheme {
  /** The name cosign's --signing-algorithm has for it. */
  readonly algorithm: KeyAlgorithm;
  /** The name the transparency log has for it. */
  readonly keyDetails: string;
  /** Undefined for Ed25519, which takes the message itself. ECDSA signatures are DER, RSA ones PKCS #1 v1.5. */
  readonly hash: HashName | undefined;
}

interface Row extends Omit<SignatureScheme, 'algorithm'> {
  readonly kind: 'ec' | 'rsa' | 'ed25519';
  /** Node's name of the curve. */
  readonly curve?: string;
  readonly modulusBits?: number;
}

/** The kinds of key that can sign. cosign 3 and Sigstore's logs take the same, and RSA of no other size. */
export const KEY_ALGORITHMS = {
  'ecdsa-sha2-256-nistp256': {
    kind: 'ec',
    curve: 'prime256v1',
    hash: 'sha256',
    keyDetails: 'PKIX_ECDSA_P256_SHA_256',
  },
  'ecdsa-sha2-384-nistp384': { kind: 'ec', curve: 'secp384r1', hash: 'sha384', keyDetails: 'PKIX_ECDSA_P384_SHA_384' },
  'ecdsa-sha2-512-nistp521': { kind: 'ec', curve: 'secp521r1', hash: 'sha512', keyDetails: 'PKIX_ECDSA_P521_SHA_512' },
  'rsa-sign-pkcs1-2048-sha256': {
    kind: 'rsa',
    modulusBits: 2048,
    hash: 'sha256',
    keyDetails: 'PKIX_RSA_PKCS1V15_2048_SHA256',
  },
  'rsa-sign-pkcs1-3072-sha256': {
    kind: 'rsa',
    modulusBits: 3072,
    hash: 'sha256',
    keyDetails: 'PKIX_RSA_PKCS1V15_3072_SHA256',
  },
  'rsa-sign-pkcs1-4096-sha256': {
    kind: 'rsa',
    modulusBits: 4096,
    hash: 'sha256',
    keyDetails: 'PKIX_RSA_PKCS1V15_4096_SHA256',
  },
  ed25519: { kind: 'ed25519', hash: undefined, keyDetails: 'PKIX_ED25519' },
} as const satisfies Record<string, Row>;

export type KeyAlgorithm = keyof typeof KEY_ALGORITHMS;

/** What `generateKeyPair` makes when nothing else is asked for, and what most services know best. */
export const DEFAULT_KEY_ALGORITHM: KeyAlgorithm = 'ecdsa-sha2-256-nistp256';

/**
 * The one scheme a key signs with, by the key itself and nothing said beside it.
 *
 * @throws BoltsealError KEY_INVALID for a kind of key that Sigstore has no scheme for: RSA below 2048 bits, secp256k1 …
 */
export function schemeOf(key: KeyObject, what: string): SignatureScheme {
  const { namedCurve, modulusLength, publicExponent } = key.asymmetricKeyDetails ?? {};
  for (const [algorithm, row] of rows()) {
    const { kind, curve, modulusBits, hash, keyDetails } = row;
    if (kind === key.asymmetricKeyType && curve === namedCurve && modulusBits === modulusLength) {
      if (publicExponent !== undefined && publicExponent !== 65_537n)
        throw unsupported(what, `an RSA key with the public exponent ${publicExponent} instead of 65537`);
      return { algorithm, keyDetails, hash };
    }
  }
  const type = key.asymmetricKeyType ?? 'unknown';
  throw unsupported(what, namedCurve ?? (modulusLength === undefined ? type : `${type} with ${modulusLength} bits`));
}

function rows(): readonly (readonly [KeyAlgorithm, Row])[] {
  return Object.entries(KEY_ALGORITHMS) as [KeyAlgorithm, Row][];
}

function unsupported(what: string, found: string): BoltsealError {
  return new BoltsealError('KEY_INVALID', `${what} is of a kind that does not sign: ${found}`, {
    hint: 'Use ECDSA with P-256, P-384 or P-521, Ed25519, or RSA with 2048, 3072 or 4096 bits and the exponent 65537; boltseal generate-key-pair makes one.',
  });
}
