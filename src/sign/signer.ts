import type { Context } from '../base/context.ts';

/** A statement, signed, witnessed and packed. */
export interface SignedBundle {
  /** A Sigstore bundle v0.3 (protobuf-specs 0.5, sigstore_bundle.proto) as JSON; the same parts give the same bytes. */
  readonly bytes: Uint8Array;
  /** Whom the certificate names, for a person to read. */
  readonly signer: CertificateIdentity;
  readonly logEntries: readonly LogEntryReference[];
  /** What the log or the timestamp authority says; the earliest when there are several. */
  readonly signedAt: Date;
}

export interface CertificateIdentity {
  /** The subject alternative name: a URI or an e-mail address. */
  readonly identity: string;
  /** The OpenID Connect issuer that vouched for it. */
  readonly issuer: string;
}

export interface LogEntryReference {
  /** Where the log is. */
  readonly url: string;
  /** The log's ID, lower-case hex. */
  readonly logId: string;
  readonly index: number;
}

/** Signs in-toto statements. One signer may sign many; it decides what they share. */
export interface StatementSigner {
  /**
   * Signs the statement's bytes as the payload of a DSSE envelope (DSSE 1.0.2).
   *
   * @throws BoltsealError FULCIO_FAILED, REKOR_FAILED, TSA_FAILED, TOKEN_MISSING, TOKEN_INVALID, INTERRUPTED
   */
  sign(payload: Uint8Array, context: Context): Promise<SignedBundle>;
}
