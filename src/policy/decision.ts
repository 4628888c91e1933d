import type { Digest } from '../oci/digest.ts';
import type { RejectionCode } from '../verify/rejection.ts';

/** Every reason for which a requirement is not met, or an image not allowed. Stable. */
export const DECISION_CODES = {
  NO_POLICY: 'no policy is about this image',
  REQUIREMENT_UNMET: 'a policy about this image asks for something that is not there',
  SIGNATURE_MISSING: 'there is no signature of the image',
  ATTESTATION_MISSING: 'there is no attestation at all',
  PREDICATE_TYPE_MISMATCH: 'the attestation is of another type than the one asked for',
  SIGNER_MISMATCH: 'somebody else signed than the policy names',
  TOO_FEW_SIGNERS: 'fewer different signers signed than the policy asks for',
  ATTESTATION_TOO_OLD: 'the attestation was signed longer ago than the policy allows',
  ATTESTATION_FROM_FUTURE: 'the attestation was signed at a time that is still to come',
  ATTESTATION_TIME_UNKNOWN: 'no trusted time says when the attestation was signed',
  SUBJECT_MISMATCH: 'the attestation is about another image',
  SBOM_NOT_AVAILABLE: 'nothing satisfied the requirement that the SBOM should come from',
  SBOM_UNREADABLE: 'an SBOM is there, but not in a form that can be judged',
  BANNED_PACKAGE: 'the SBOM names a package that the policy bans',
  REQUIRED_PACKAGE_MISSING: 'no SBOM names a package that the policy asks for',
  DECISION_FAILED: 'the decision could not be finished, so it is no',
} as const satisfies Record<string, string>;

export type DecisionCode = keyof typeof DECISION_CODES;

/** Whether one image may be deployed, and why. */
export interface Decision {
  readonly subject: Digest;
  readonly name?: string;
  readonly tag?: string;
  /** `warned`: allowed, though a policy in mode `warn` is not satisfied. */
  readonly outcome: 'allowed' | 'warned' | 'denied';
  /** Absent when allowed. */
  readonly code?: DecisionCode;
  /** One sentence. */
  readonly reason: string;
  /** The next step. Absent when allowed. */
  readonly next?: string;
  readonly policies: readonly PolicyDecision[];
  /** Names of policies about this image that exclude it. */
  readonly excludedBy: readonly string[];
}

export interface PolicyDecision {
  readonly policy: string;
  readonly path: string;
  readonly mode: 'enforce' | 'warn';
  readonly satisfied: boolean;
  readonly requirements: readonly RequirementDecision[];
}

export interface RequirementDecision {
  readonly id: string;
  readonly kind: 'signature' | 'attestation' | 'sbom';
  readonly satisfied: boolean;
  /** Absent when satisfied. */
  readonly code?: DecisionCode;
  /** One sentence: what satisfied it, or what is missing. */
  readonly reason: string;
  /** The next step. Absent when satisfied. */
  readonly next?: string;
  /** Each candidate that was looked at, and what was found. */
  readonly candidates: readonly CandidateDecision[];
}

export interface CandidateDecision {
  /** Digest of the manifest that carried it, or of the bundle. */
  readonly id: string;
  readonly satisfied: boolean;
  readonly code?: DecisionCode | RejectionCode;
  readonly reason: string;
}
