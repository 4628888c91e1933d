import type { Statement } from '../intoto/statement.ts';
import type { Digest } from '../oci/digest.ts';
import type { Rejection } from './rejection.ts';

/** What checking one bundle came to. A rejection is an answer, not an error: nothing is thrown for a bad bundle. */
export type Verification =
  | { readonly ok: true; readonly attestation: VerifiedAttestation }
  | { readonly ok: false; readonly rejection: Rejection };

declare const verified: unique symbol;

/**
 * A statement whose signature, certificate, log entry and time were checked against a trust root, and which is about
 * `subject`. Who signed it is known; whether that someone may is for a policy to say. Only the verifier makes these.
 */
export interface VerifiedAttestation extends VerifiedSignature {
  readonly [verified]: true;
  /** What the statement was checked to be about. */
  readonly subject: Digest;
  readonly statement: Statement;
  /** Present on what cosign 1 and 2 stored beside the image, and no bundle. */
  readonly format?: 'legacy';
}

/** What holds for every accepted bundle, whatever was signed. Every field is covered by a signature that was checked. */
export interface VerifiedSignature {
  readonly signer: VerifiedSigner;
  /**
   * The earliest of the trusted times: the signature existed then at the latest. Absent only when the caller asked for
   * no time at all and there is none.
   */
  readonly signedAt?: Date;
  readonly times: readonly TrustedTime[];
  readonly logEntries: readonly LoggedEntry[];
  /** Of the bundle's bytes: names the candidate when there is no manifest. */
  readonly bundleDigest: Digest;
  /** Of the manifest that carried the bundle, as the caller passed it. */
  readonly manifestDigest?: Digest;
}

export type VerifiedSigner = CertificateSigner | KeySigner;

/** A signer known by a short-lived certificate: Fulcio's certificate specification. */
export interface CertificateSigner {
  readonly kind: 'certificate';
  /** The OIDC issuer that vouched for the identity. */
  readonly issuer: string;
  /** The one subject alternative name. */
  readonly identity: string;
  readonly identityKind: 'uri' | 'email' | 'username';
  /** Fulcio's extensions by name, as far as the certificate has them. */
  readonly extensions: CertificateExtensions;
}

export type CertificateExtensions = Readonly<Partial<Record<ExtensionName, string>>>;

/** The names of Fulcio's oid-info document, without the issuer, which every certificate has. */
export type ExtensionName =
  | 'githubWorkflowTrigger'
  | 'githubWorkflowSha'
  | 'githubWorkflowName'
  | 'githubWorkflowRepository'
  | 'githubWorkflowRef'
  | 'buildSignerUri'
  | 'buildSignerDigest'
  | 'runnerEnvironment'
  | 'sourceRepositoryUri'
  | 'sourceRepositoryDigest'
  | 'sourceRepositoryRef'
  | 'sourceRepositoryIdentifier'
  | 'sourceRepositoryOwnerUri'
  | 'sourceRepositoryOwnerIdentifier'
  | 'buildConfigUri'
  | 'buildConfigDigest'
  | 'buildTrigger'
  | 'runInvocationUri'
  | 'sourceRepositoryVisibilityAtSigning';

/** A signer known by a public key that the caller trusts. */
export interface KeySigner {
  readonly kind: 'key';
  /** `sha256:` and the hex digest of the DER SubjectPublicKeyInfo: of the key that did verify, not of one hinted at. */
  readonly fingerprint: Digest;
  /** What the caller calls the key. */
  readonly name?: string;
}

export interface TrustedTime {
  readonly at: Date;
  readonly source: 'transparency-log' | 'timestamp-authority';
  /** URL of the log or authority, from the trust root. */
  readonly authority: string;
}

export interface LoggedEntry {
  readonly logUrl: string;
  /** The index that a signature of the log covers: the promise's where there is one, else the inclusion proof's. */
  readonly index: string;
}
