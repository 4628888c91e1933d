import { createHash, type Hash } from 'node:crypto';
import { Transform } from 'node:stream';
import { BoltsealError } from '../base/errors.ts';

/** `algorithm:encoded`, checked against image-spec 1.1.1, descriptor.md#digests: the algorithm is one we can compute. */
export type Digest = string & { readonly __brand: 'Digest' };

export type DigestAlgorithm = 'sha256' | 'sha512';

const HEX_LENGTH: Readonly<Record<DigestAlgorithm, number>> = { sha256: 64, sha512: 128 };

/** True when the text is a digest of a supported algorithm: lower-case hex of exactly the right length. */
export function isDigest(text: string): text is Digest {
  const [, algorithm, encoded] = /^(sha256|sha512):([0-9a-f]+)$/.exec(text) ?? [];
  return encoded?.length === HEX_LENGTH[algorithm as DigestAlgorithm] && encoded !== undefined;
}

/** @throws BoltsealError REFERENCE_INVALID */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new BoltsealError('REFERENCE_INVALID', `"${text}" is not a digest`, {
    hint: 'A digest is sha256: and 64 lower-case hex characters, or sha512: and 128.',
  });
}

export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.slice(0, digest.indexOf(':')) as DigestAlgorithm;
}

/** The part after the colon, lower-case hex. */
export function encodedOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return finishDigest(createHash(algorithm).update(bytes), algorithm);
}

export function finishDigest(hash: Hash, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${hash.digest('hex')}` as Digest;
}

interface Expected {
  readonly digest: Digest;
  /** Bytes; absent when the size is not known beforehand. */
  readonly size?: number;
}

/**
 * A stream that passes bytes through and fails at the first byte too many, or at the end when size or digest is not the
 * expected one. Nothing downstream can forget to check; but downstream has seen bytes before the check, so it must not
 * act on them until the stream has ended.
 */
export function verifyingStream(expected: Expected, what: string): Transform {
  const hash = createHash(algorithmOf(expected.digest));
  let seenBytes = 0;
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      seenBytes += chunk.length;
      if (expected.size !== undefined && seenBytes > expected.size) {
        done(sizeError(what, expected.size, `at least ${seenBytes}`));
        return;
      }
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      const { digest, size } = expected;
      if (size !== undefined && seenBytes !== size) done(sizeError(what, size, String(seenBytes)));
      else done(checkDigest(finishDigest(hash, algorithmOf(digest)), digest, what));
    },
  });
}

/** @throws BoltsealError SIZE_MISMATCH, DIGEST_MISMATCH */
export function verifyBytes(bytes: Uint8Array, expected: Expected, what: string): Uint8Array {
  if (expected.size !== undefined && bytes.length !== expected.size)
    throw sizeError(what, expected.size, String(bytes.length));
  const error = checkDigest(digestOf(bytes, algorithmOf(expected.digest)), expected.digest, what);
  if (error !== null) throw error;
  return bytes;
}

function checkDigest(found: Digest, expected: Digest, what: string): BoltsealError | null {
  if (found === expected) return null;
  return new BoltsealError('DIGEST_MISMATCH', `${what} should be ${expected} but its bytes are ${found}`, {
    hint: 'The content was changed or damaged after it was pushed. Do not use it; fetch it from its origin again.',
  });
}

function sizeError(what: string, expected: number, found: string): BoltsealError {
  return new BoltsealError('SIZE_MISMATCH', `${what} should be ${expected} bytes but is ${found}`, {
    hint: 'The transfer was cut short, or the content is not what its descriptor says. Try again, then check the registry.',
  });
}
