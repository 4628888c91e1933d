import type { Context } from '../base/context.ts';
import type { Digest } from '../oci/digest.ts';

/** A statement, signed, witnessed and packed. */
export interface SignedBundle {
  /** A Sigstore bundle v0.3 (protobuf-specs 0.5, sigstore_bundle.proto) as JSON; the same parts give the same bytes. */
  readonly bytes: Uint8Array;
  /** Who signed, for a person to read. */
  readonly signer: SignerIdentity;
  readonly logEntries: readonly LogEntryReference[];
  /** What the log or the timestamp authority says; the earliest when there are several, and this machine's clock when there is none. */
  readonly signedAt: Date;
}

export type SignerIdentity = CertificateIdentity | KeyIdentity;

/** Whom a certificate authority vouches for, for an identity token. */
export interface CertificateIdentity {
  readonly kind: 'certificate';
  /** The subject alternative name: a URI or an e-mail address. */
  readonly identity: string;
  /** The OpenID Connect issuer that vouched for it. */
  readonly issuer: string;
}

/** A key that somebody keeps. */
export interface KeyIdentity {
  readonly kind: 'key';
  /** SHA-256 of the DER SubjectPublicKeyInfo. */
  readonly fingerprint: Digest;
  /** "ecdsa-sha2-256-nistp256" and the like, as cosign names them. */
  readonly algorithm: string;
  /** The subject of the certificate that was given with the key. */
  readonly certificateSubject?: string;
}

export interface LogEntryReference {
  /** Where the log is. */
  readonly url: string;
  /** The log's ID, lower-case hex. */
  readonly logId: string;
  readonly index: number;
}

/** Who is going to sign. */
export interface IdentifiedSigner {
  readonly identity: SignerIdentity;
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
}

/** Signs in-toto statements. One signer may sign many; it decides what they share. */
export interface StatementSigner {
  /**
   * Signs the statement's bytes as the payload of a DSSE envelope (DSSE 1.0.2).
   *
   * @throws BoltsealError FULCIO_FAILED, REKOR_FAILED, TSA_FAILED, TOKEN_MISSING, TOKEN_INVALID, KEY_INVALID,
   *   KEY_SERVICE_FAILED, INTERRUPTED
   */
  sign(payload: Uint8Array, context: Context): Promise<SignedBundle>;
  /**
   * Who signs, before anything is: for an identity its certificate is asked for, which what is signed next then shares.
   *
   * @throws BoltsealError FULCIO_FAILED, TOKEN_MISSING, TOKEN_INVALID, INTERRUPTED
   */
  identify(context: Context): Promise<IdentifiedSigner>;
}

/** Signs files as they are, without a statement about them. */
export interface MessageSigner {
  /**
   * Signs the message's bytes; the bundle has a `messageSignature`, and the digest of the message beside it.
   *
   * @throws BoltsealError as `sign` of StatementSigner, and LIMIT_EXCEEDED for a message that is too large for the key
   */
  signMessage(message: Message, context: Context): Promise<SignedBundle>;
}

/** Streamed messages may be of any size, but for keys that sign a message whole. */
export type Message = Uint8Array | AsyncIterable<Uint8Array>;
