import type { Digest } from '../oci/digest.ts';
import { parseBundle } from './bundle.ts';
import { envelopeContent } from './content.ts';
import { Rejected, toRejection } from './rejection.ts';
import { readSignedStatement } from './signed-statement.ts';
import { verifySignature, type VerifyOptions } from './signature.ts';
import type { TrustRoot } from './trust-root.ts';
import type { Verification, VerifiedAttestation, VerifiedSignature } from './verification.ts';

/** A bundle from somewhere, with the digest of the manifest that carried it when one did. */
export interface BundleCandidate {
  readonly bytes: Uint8Array;
  readonly manifestDigest?: Digest;
}

/**
 * Checks a Sigstore bundle (0.1 to 0.3) that attests something about `subject`. Offline, synchronous, and without
 * opinion on who may sign. Accepted means: one in-toto statement, about this subject by the same digest algorithm, signed by
 * the certificate or key that is named in the result, with enough log entries and times of the trust root, all of which hold.
 * Nothing a bundle contains makes it throw.
 */
export function verifyBundle(
  candidate: BundleCandidate,
  subject: Digest,
  { trust, ...options }: { readonly trust: TrustRoot } & Omit<VerifyOptions, 'manifestDigest'>,
): Verification {
  return answer(() => {
    const { bytes, manifestDigest } = candidate;
    const bundle = parseBundle(bytes);
    const content = envelopeContent(bundle);
    const signature = verifySignature(bundle, content, {
      trust,
      bytes,
      options: { ...options, ...(manifestDigest === undefined ? {} : { manifestDigest }) },
    });
    return mint(signature, { subject, statement: readSignedStatement(content.payload, [subject]) });
  });
}

/** The one place where a verified attestation comes into being. */
export function mint(
  signature: VerifiedSignature & Pick<VerifiedAttestation, 'format'>,
  { subject, statement }: Pick<VerifiedAttestation, 'subject' | 'statement'>,
): VerifiedAttestation {
  return { ...signature, subject, statement } as VerifiedAttestation;
}

/** A rejection as an answer, whatever the check ran into. */
export function answer(check: () => VerifiedAttestation): Verification {
  try {
    return { ok: true, attestation: check() };
  } catch (error) {
    const rejected =
      error instanceof Rejected
        ? error
        : new Rejected('VERIFICATION_FAILED', 'the bundle could not be checked to the end', error);
    return { ok: false, rejection: toRejection(rejected) };
  }
}
