import type { Bundle } from '@sigstore/bundle';
import { digestOf } from '../oci/digest.ts';
import { parseBundle } from './bundle.ts';
import { envelopeContent, isDigestOf, type Content } from './content.ts';
import { Rejected, toRejection, type Rejection } from './rejection.ts';
import { readSignedStatement } from './signed-statement.ts';
import { verifySignature, type VerifyOptions } from './signature.ts';
import type { TrustRoot } from './trust-root.ts';
import type { VerifiedSignature } from './verification.ts';

export type ArtifactVerification =
  { readonly ok: true; readonly signature: VerifiedSignature } | { readonly ok: false; readonly rejection: Rejection };

/**
 * Checks a bundle against a file: a signature over the file's bytes, or an envelope whose statement names the file's
 * digest. Like `verifyBundle`, it answers and does not throw, and leaves who may sign to the caller.
 */
export function verifyArtifactBundle(
  bytes: Uint8Array,
  artifact: Uint8Array,
  { trust, ...options }: { readonly trust: TrustRoot } & VerifyOptions,
): ArtifactVerification {
  try {
    const bundle = parseBundle(bytes);
    const content = contentOf(bundle, artifact);
    const signature = verifySignature(bundle, content, { trust, bytes, options });
    if (bundle.content.$case === 'dsseEnvelope')
      readSignedStatement(content.payload, [digestOf(artifact), digestOf(artifact, 'sha512')]);
    return { ok: true, signature };
  } catch (error) {
    const rejected =
      error instanceof Rejected
        ? error
        : new Rejected('VERIFICATION_FAILED', 'the bundle could not be checked to the end', error);
    return { ok: false, rejection: toRejection(rejected) };
  }
}

function contentOf(bundle: Bundle, artifact: Uint8Array): Content {
  if (bundle.content.$case === 'dsseEnvelope') return envelopeContent(bundle);
  const { signature, messageDigest } = bundle.content.messageSignature;
  if (!isDigestOf(messageDigest.digest, artifact))
    throw new Rejected('SUBJECT_MISMATCH', 'the signature is over a file with another digest');
  return { signature: Buffer.from(signature), signedBytes: artifact, payload: artifact };
}
