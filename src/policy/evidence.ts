import type { Digest } from '../oci/digest.ts';
import type { Rejection } from '../verify/rejection.ts';
import type { VerifiedAttestation } from '../verify/verification.ts';

/** All that is known about one image when it is decided on. */
export interface Evidence {
  /** The image, by digest. Attestations about anything else do not count. */
  readonly subject: Digest;
  /** `host/repository`, normalised as references are. Absent for an image without a registry name: no policy is about it. */
  readonly name?: string;
  /** For people; decides nothing. */
  readonly tag?: string;
  readonly attestations: readonly VerifiedAttestation[];
  readonly rejections: readonly RejectedCandidate[];
}

/** A bundle that was found and not accepted. */
export interface RejectedCandidate {
  /** Digest of its manifest, or of the bundle. */
  readonly id: string;
  readonly rejection: Rejection;
}

/** What an attestation is called in results: the digest of its manifest, or of the bundle where there was none. */
export function candidateId({ manifestDigest, bundleDigest }: VerifiedAttestation): string {
  return manifestDigest ?? bundleDigest;
}

/** The image as it can be typed into a command: by digest. */
export function imageOf({ name, subject }: Evidence): string {
  return name === undefined ? subject : `${name}@${subject}`;
}
