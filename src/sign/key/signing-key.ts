import { createPublicKey, createSign, sign, type KeyObject } from 'node:crypto';
import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import { schemeOf, type SignatureScheme } from './scheme.ts';

/** A private key that signs and does not show itself: in memory, in a plugin, in a key service. */
export interface SigningKey {
  readonly publicKey: KeyObject;
  readonly scheme: SignatureScheme;
  /** Starts a signature over a message that comes in pieces. */
  begin(): PendingSignature;
}

export interface PendingSignature {
  /** @throws BoltsealError LIMIT_EXCEEDED for a message the key can only sign whole, and that is too large for it */
  update(chunk: Uint8Array): void;
  /**
   * The signature over all that was given, in the encoding of the key's scheme.
   *
   * @throws BoltsealError KEY_SERVICE_FAILED, INTERRUPTED
   */
  finish(context: Context): Promise<Buffer>;
}

/**
 * A key in memory. `what` names it in messages.
 *
 * @throws BoltsealError KEY_INVALID for a kind of key that does not sign
 */
export function localKey(privateKey: KeyObject, what: string): SigningKey {
  const publicKey = createPublicKey(privateKey);
  const scheme = schemeOf(publicKey, what);
  const { hash } = scheme;
  if (hash === undefined) return { publicKey, scheme, begin: () => beginWhole(privateKey, what) };
  return {
    publicKey,
    scheme,
    begin() {
      const signer = createSign(hash);
      return {
        update: (chunk) => void signer.update(chunk),
        finish: () => Promise.resolve(signer.sign(privateKey)),
      };
    },
  };
}

/** Ed25519 reads the message twice (RFC 8032, section 5.1.6), so that it has to be there whole. */
function beginWhole(privateKey: KeyObject, what: string): PendingSignature {
  const message = collectMessage(what);
  return {
    update: message.add,
    finish: () => Promise.resolve(sign(null, message.bytes(), privateKey)),
  };
}

interface CollectedMessage {
  readonly add: (chunk: Uint8Array) => void;
  readonly bytes: () => Buffer;
}

/** Keeps a message in memory, up to the limit for that. */
export function collectMessage(what: string): CollectedMessage {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  return {
    add(chunk) {
      sizeBytes += chunk.length;
      if (sizeBytes > LIMITS.wholeMessageBytes)
        throw new BoltsealError(
          'LIMIT_EXCEEDED',
          `${what} can only sign a message whole, and this one is more than ${LIMITS.wholeMessageBytes} bytes`,
          { hint: 'Sign with an ECDSA or RSA key in a file, which sign a digest, or attest the digest of the file.' },
        );
      chunks.push(Uint8Array.from(chunk));
    },
    bytes: () => Buffer.concat(chunks),
  };
}
