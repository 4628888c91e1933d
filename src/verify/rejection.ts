import { messageOf } from '../base/errors.ts';

/** Every reason for which a bundle is not accepted, what it means and what to do about it. Stable. */
export const REJECTIONS = {
  BUNDLE_UNREADABLE: {
    meaning: 'a bundle is listed, but its bytes are missing, damaged, or belong to another image',
    next: 'Attach it again, or remove what is damaged from the list of referrers.',
  },
  BUNDLE_MALFORMED: {
    meaning: 'the bundle is not strict JSON of the shape its media type demands',
    next: 'Sign again with a current tool; what is there cannot be read in only one way.',
  },
  BUNDLE_VERSION_UNSUPPORTED: {
    meaning: 'the media type is not a Sigstore bundle from 0.1 to 0.3',
    next: 'Check for a newer boltseal, or sign again in the 0.3 format.',
  },
  CONTENT_KIND_MISMATCH: {
    meaning: 'the bundle signs a file where an attestation was needed',
    next: 'Sign with `boltseal sign` or `cosign sign`: a signature over a blob says nothing about an image.',
  },
  PAYLOAD_TYPE_UNSUPPORTED: {
    meaning: 'the envelope does not say that it holds an in-toto statement',
    next: 'Sign an in-toto statement (payload type application/vnd.in-toto+json).',
  },
  STATEMENT_INVALID: {
    meaning: 'the signed payload is not a well-formed in-toto statement',
    next: 'Attest again with a tool that writes in-toto statements.',
  },
  SUBJECT_MISMATCH: {
    meaning: 'what was signed is other content',
    next: 'The signature was moved here from something else. Sign this content itself, by its digest.',
  },
  CONTENT_NEEDED: {
    meaning: 'the signature cannot be checked with the digest that was given alone',
    next: 'Give the file itself, or its digest by the algorithm that the signature was made over.',
  },
  SIGNATURE_INVALID: {
    meaning: 'the signature does not verify with the key that is said to have made it',
    next: 'The bundle or the payload was changed after signing. Fetch it from its origin again, or sign again.',
  },
  KEY_UNKNOWN: {
    meaning: 'the bundle is signed with a key, and no key is trusted that made it',
    next: 'Give the public key that signed, or remove this signature if nobody should have made it.',
  },
  KEY_UNSUPPORTED: {
    meaning: 'the key is of a kind or size that is not safe, or not known',
    next: 'Sign with ECDSA P-256, P-384 or P-521, Ed25519, or RSA of at least 2048 bits.',
  },
  KEY_OUTSIDE_VALIDITY: {
    meaning: 'the key was not valid at a time at which the signature is recorded',
    next: 'Sign again with a key that is valid now.',
  },
  CERTIFICATE_INVALID: {
    meaning: 'the certificate is malformed or not one for signing code',
    next: 'Use a certificate that Fulcio issued for signing: not a CA, with the code signing usage.',
  },
  CERTIFICATE_IDENTITY_INVALID: {
    meaning: 'the certificate does not name exactly one identity and one issuer',
    next: 'Use a certificate with one subject alternative name and issuer extensions that agree.',
  },
  CERTIFICATE_UNTRUSTED: {
    meaning: 'the certificate does not chain to an authority of the trust root',
    next: 'Use the trust root of the Sigstore that issued the certificate.',
  },
  CERTIFICATE_EXPIRED: {
    meaning: 'a trusted time is outside the validity of the certificate',
    next: 'The signature was made or recorded too late. Sign again.',
  },
  CERTIFICATE_NOT_LOGGED: {
    meaning: 'no certificate transparency log of the trust root vouches for the certificate',
    next: 'Use the trust root of the Sigstore that issued the certificate; it must list its CT log.',
  },
  LOG_ENTRY_MISSING: {
    meaning: 'there are not enough entries in transparency logs of the trust root',
    next: 'Sign with a transparency log that the trust root lists.',
  },
  LOG_ENTRY_INVALID: {
    meaning: 'the proof that the entry is in the log does not hold',
    next: 'The log entry was changed or belongs to another log. Sign again.',
  },
  LOG_ENTRY_MISMATCH: {
    meaning: 'the log entry is genuine, but for another signature, content, certificate or key',
    next: 'Somebody put a foreign log entry beside this signature. Sign again.',
  },
  LOG_ENTRY_DUPLICATE: {
    meaning: 'the same log entry is there twice',
    next: 'Repeating an entry does not make it two. Sign again.',
  },
  LOG_KEY_OUTSIDE_VALIDITY: {
    meaning: 'the key of the log was not valid at a time at which the signature is recorded',
    next: 'Update the trust root; if it is current, the entry was made with a retired key: sign again.',
  },
  TIMESTAMP_MISSING: {
    meaning: 'there are not enough trusted times, from logs that promise one or from timestamp authorities',
    next: 'Sign with a timestamp authority that the trust root lists; a Rekor v2 entry carries no time of its own.',
  },
  TIMESTAMP_INVALID: {
    meaning: 'a timestamp of a trusted authority does not verify for this signature',
    next: 'The timestamp was changed or belongs to another signature. Sign again.',
  },
  TIMESTAMP_DUPLICATE: {
    meaning: 'the same timestamp is there twice',
    next: 'Repeating a timestamp does not make it two. Sign again.',
  },
  VERIFICATION_FAILED: {
    meaning: 'the check could not be finished, so the bundle is not accepted',
    next: 'Please report this bundle: every bundle should be accepted, or rejected for a stated reason.',
  },
} as const satisfies Record<string, { readonly meaning: string; readonly next: string }>;

export type RejectionCode = keyof typeof REJECTIONS;

/** Why a bundle is not accepted. */
export interface Rejection {
  readonly code: RejectionCode;
  /** One sentence for a person. It may quote what the bundle claims, which nobody vouches for. */
  readonly reason: string;
  /** The next step, from the table. */
  readonly next: string;
  /** What a library said underneath, for --verbose. */
  readonly detail?: string;
}

/** Thrown by the guards, and caught in one place: the verifier turns it into its answer. */
export class Rejected extends Error {
  override readonly name = 'Rejected';
  readonly code: RejectionCode;

  constructor(code: RejectionCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

export function toRejection({ code, message, cause }: Rejected): Rejection {
  const detail = cause === undefined ? {} : { detail: chainOf(cause) };
  return { code, reason: message, next: REJECTIONS[code].next, ...detail };
}

function chainOf(error: unknown): string {
  const messages: string[] = [];
  for (
    let at: unknown = error;
    at !== undefined && messages.length < 5;
    at = at instanceof Error ? at.cause : undefined
  )
    messages.push(messageOf(at));
  return messages.join(': ');
}
