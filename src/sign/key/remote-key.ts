import { createHash, createPublicKey, createVerify, type KeyObject } from 'node:crypto';
import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';
import { schemeOf } from './scheme.ts';
import type { SigningKey } from './signing-key.ts';

interface RemoteKey {
  readonly publicKey: KeyObject;
  /** What the key is called in messages. */
  readonly what: string;
  /** Signs a digest by the hash of the key's scheme; ECDSA in DER, RSA as PKCS #1 v1.5. */
  readonly signDigest: (digest: Buffer, context: Context) => Promise<Buffer>;
}

/**
 * A key that is somewhere else and signs digests. Every signature is verified with the public key before it is used, so
 * that a key that was rotated meanwhile, or a service that hashes once more, is noticed before anything is logged.
 *
 * @throws BoltsealError KEY_INVALID for a kind of key that does not sign digests
 */
export function remoteKey({ publicKey, what, signDigest }: RemoteKey): SigningKey {
  const scheme = schemeOf(publicKey, what);
  const { hash } = scheme;
  if (hash === undefined)
    throw new BoltsealError('KEY_INVALID', `${what} is an Ed25519 key, which signs no digests`, {
      hint: 'Use an ECDSA or RSA key of the key service, or an Ed25519 key in a file.',
    });
  return {
    publicKey,
    scheme,
    begin() {
      const hasher = createHash(hash);
      const verifier = createVerify(hash);
      return {
        update(chunk) {
          hasher.update(chunk);
          verifier.update(chunk);
        },
        async finish(context) {
          const signature = await signDigest(hasher.digest(), context);
          if (!verifier.verify(publicKey, signature)) throw wrongSignature(what);
          return signature;
        },
      };
    },
  };
}

export function wrongSignature(what: string): BoltsealError {
  return new BoltsealError('KEY_SERVICE_FAILED', `what ${what} gave is not a signature by it over this content`, {
    hint: 'Check that the key is one for signing, with the hash that belongs to its kind, and that it was not rotated just now.',
  });
}

/**
 * The public key a service gave as PEM.
 *
 * @throws BoltsealError KEY_SERVICE_FAILED
 */
export function readServiceKey(pem: string, what: string): KeyObject {
  try {
    if (/^\s*-----BEGIN (RSA )?PUBLIC KEY-----/.test(pem)) return createPublicKey(pem);
  } catch {
    // said below, in our own words
  }
  throw new BoltsealError('KEY_SERVICE_FAILED', `what ${what} gave as its public key is none`, {
    hint: 'Check that the reference names an asymmetric key for signing.',
  });
}
