import type { KeyObject } from 'node:crypto';
import { VerificationError, Verifier, type SignedEntity } from '@sigstore/verify';
import type { SigningCertificate } from './certificate.ts';
import { toSignatureContent, type Content } from './content.ts';
import type { TrustedLogEntry } from './log-entry.ts';
import { Rejected, type RejectionCode } from './rejection.ts';
import type { TrustedTimestamp } from './trusted-time.ts';
import type { TrustRoot } from './trust-root.ts';

interface Proofs {
  readonly key: KeyObject;
  readonly certificate?: SigningCertificate;
  readonly entries: readonly TrustedLogEntry[];
  readonly timestamps: readonly TrustedTimestamp[];
}

interface Trusted {
  readonly trust: TrustRoot;
  readonly certificateLogs: number;
}

/**
 * What @sigstore/verify does right: chains, signed certificate timestamps, inclusion proofs and promises, checkpoints,
 * timestamp tokens, and the signature with the key that came out of it. Its thresholds count copies, so distinct ones are
 * counted elsewhere; its policies are never used, since a string in one is an unanchored pattern. Whatever it throws, also by
 * accident, is a rejection.
 *
 * @throws Rejected
 */
export function verifyWithLibrary(content: Content, proofs: Proofs, { trust, certificateLogs }: Trusted): void {
  const publicKey = (): { publicKey: KeyObject; validFor: () => boolean } => ({
    publicKey: proofs.key,
    validFor: () => true,
  });
  const thresholds = { tlogThreshold: 0, timestampThreshold: 0, ctlogThreshold: certificateLogs };
  try {
    new Verifier({ ...trust.material, publicKey }, thresholds).verify(toEntity(content, proofs));
  } catch (cause) {
    throw toRejected(cause);
  }
}

function toEntity(content: Content, { certificate, entries, timestamps }: Proofs): SignedEntity {
  const promised = entries.filter(({ entry }) => entry.inclusionPromise !== undefined && entry.integratedTime !== '0');
  return {
    signature: toSignatureContent(content),
    key:
      certificate === undefined
        ? { $case: 'public-key', hint: '' }
        : { $case: 'certificate', certificate: certificate.parsed },
    tlogEntries: entries.map(({ entry }) => entry),
    timestamps: [
      ...promised.map(({ entry }) => ({ $case: 'transparency-log', tlogEntry: entry }) as const),
      ...timestamps.map(({ timestamp }) => ({ $case: 'timestamp-authority', timestamp }) as const),
    ],
  };
}

interface Row {
  readonly code: RejectionCode;
  readonly reason: string;
}

const ROWS: Readonly<Record<VerificationError['code'], Row>> = {
  TIMESTAMP_ERROR: { code: 'TIMESTAMP_INVALID', reason: 'a timestamp does not verify for this signature' },
  CERTIFICATE_ERROR: { code: 'CERTIFICATE_UNTRUSTED', reason: 'no authority of the trust root issued the certificate' },
  PUBLIC_KEY_ERROR: { code: 'KEY_UNKNOWN', reason: 'the key is not among the trusted ones' },
  SIGNATURE_ERROR: { code: 'SIGNATURE_INVALID', reason: 'the signature is not one over this content by this signer' },
  TLOG_ERROR: { code: 'LOG_ENTRY_INVALID', reason: 'the log entries do not hold together' },
  TLOG_INCLUSION_PROOF_ERROR: { code: 'LOG_ENTRY_INVALID', reason: 'the proof that the entry is in the log fails' },
  TLOG_INCLUSION_PROMISE_ERROR: { code: 'LOG_ENTRY_INVALID', reason: 'the promise of the log about the entry fails' },
  TLOG_MISSING_INCLUSION_ERROR: { code: 'LOG_ENTRY_INVALID', reason: 'nothing proves that the entry is in the log' },
  TLOG_BODY_ERROR: { code: 'LOG_ENTRY_MISMATCH', reason: 'the log entry is for another signature or content' },
  NOT_IMPLEMENTED_ERROR: { code: 'VERIFICATION_FAILED', reason: 'the bundle needs a check that is not known' },
};

const NOT_LOGGED: Row = {
  code: 'CERTIFICATE_NOT_LOGGED',
  reason: 'no certificate transparency log of the trust root vouches for the certificate',
};

function toRejected(cause: unknown): Rejected {
  if (!(cause instanceof VerificationError))
    return new Rejected('VERIFICATION_FAILED', 'the bundle could not be checked to the end', cause);
  const aboutLogs = cause.code === 'CERTIFICATE_ERROR' && /\bSCTs?\b/.test(cause.message);
  const { code, reason } = aboutLogs ? NOT_LOGGED : ROWS[cause.code];
  return new Rejected(code, reason, cause);
}
