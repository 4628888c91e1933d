import type { TrustedKey } from '../verify/trust-root.ts';
import type { ImagePattern } from './image-pattern.ts';
import type { PackageRule } from './package-rule.ts';
import type { SignerRule } from './signer-rule.ts';

/** A policy ready to decide with: names resolved, patterns compiled. */
export interface Policy {
  readonly name: string;
  /** The file it came from. */
  readonly path: string;
  readonly mode: 'enforce' | 'warn';
  readonly images: readonly ImagePattern[];
  readonly exclude: readonly ImagePattern[];
  readonly requirements: readonly Requirement[];
  /** Public keys its signers name: to be trusted when bundles are verified for it. */
  readonly keys: readonly TrustedKey[];
}

export type Requirement = SignatureRequirement | AttestationRequirement | SbomRequirement;

/** The image itself is signed: a statement whose predicate says nothing but "signed". */
export interface SignatureRequirement {
  readonly kind: 'signature';
  readonly id: string;
  readonly by: SignerChoice;
}

export interface AttestationRequirement {
  readonly kind: 'attestation';
  readonly id: string;
  readonly predicateType: string;
  readonly by: SignerChoice;
  readonly maxAge?: { readonly written: string; readonly ms: number };
}

/** What the SBOMs that satisfied another requirement say. */
export interface SbomRequirement {
  readonly kind: 'sbom';
  readonly id: string;
  /** Id of an attestation requirement of the same policy. */
  readonly from: string;
  readonly deny: readonly PackageRule[];
  readonly require: readonly PackageRule[];
}

/** `atLeast` of these signers, each a different one. */
export interface SignerChoice {
  readonly atLeast: number;
  readonly of: readonly SignerRule[];
}
