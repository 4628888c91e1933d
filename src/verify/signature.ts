import type { KeyObject } from 'node:crypto';
import type { Bundle } from '@sigstore/bundle';
import { digestOf, type Digest } from '../oci/digest.ts';
import { readCertificate, type SigningCertificate } from './certificate.ts';
import { isSignedWith, type Content } from './content.ts';
import { verifyWithLibrary } from './library.ts';
import { checkLoggedVerifier, type LoggedVerifier } from './log-entry-body.ts';
import { checkLogValidity, selectLogEntries, toLoggedEntry } from './log-entry.ts';
import { schemeOf, spkiOf } from './public-key.ts';
import { Rejected } from './rejection.ts';
import { resolveKey } from './signing-key.ts';
import { checkTimes, promisedTimes, selectTimestamps } from './trusted-time.ts';
import type { TrustedKey, TrustRoot } from './trust-root.ts';
import type { VerifiedSignature, VerifiedSigner } from './verification.ts';

export interface VerifyOptions {
  /** Of the manifest that carried the bundle; passed through. */
  readonly manifestDigest?: Digest;
  readonly thresholds?: Partial<Thresholds>;
  /** Instead of `thresholds`, for what is signed with a key: a key that the caller trusts may need no witness. */
  readonly keyThresholds?: Partial<Thresholds>;
}

/** How much evidence a bundle needs. Each is counted over distinct logs and authorities; 1 unless given. */
export interface Thresholds {
  readonly logEntries: number;
  /** Times that a log or a timestamp authority signed. A certificate needs at least one, whatever is given here. */
  readonly times: number;
  /** Signed certificate timestamps in the certificate. */
  readonly certificateLogs: number;
}

const DEFAULT_THRESHOLDS: Thresholds = { logEntries: 1, times: 1, certificateLogs: 1 };

interface Signing {
  readonly key: KeyObject;
  readonly signer: VerifiedSigner;
  readonly certificate?: SigningCertificate;
  readonly trustedKey?: TrustedKey;
}

/**
 * Checks everything about a bundle but what was signed: certificate or key, log entries, times, signature. The library
 * does the cryptography of chains, proofs and tokens, over what the guards here have let through.
 *
 * @throws Rejected
 */
export function verifySignature(
  bundle: Bundle,
  content: Content,
  context: { readonly trust: TrustRoot; readonly bytes: Uint8Array; readonly options: VerifyOptions },
): VerifiedSignature {
  const { trust, bytes, options } = context;
  const signing = identify(bundle, content, trust);
  const own = signing.certificate === undefined ? options.keyThresholds : undefined;
  const thresholds = { ...DEFAULT_THRESHOLDS, ...options.thresholds, ...own };
  const entries = selectLogEntries(
    bundle.verificationMaterial.tlogEntries,
    trust.material.tlogs,
    thresholds.logEntries,
  );
  const timestamps = selectTimestamps(bundle, trust);
  const times = [...promisedTimes(entries), ...timestamps.map(({ time }) => time)];
  checkTimes(times, signing.certificate === undefined ? thresholds.times : Math.max(1, thresholds.times));
  const dates = times.map(({ at }) => at).toSorted((a, b) => a.getTime() - b.getTime());
  checkSigningTimes(signing, dates);
  verifyWithLibrary(
    content,
    { ...signing, entries, timestamps },
    { trust, certificateLogs: thresholds.certificateLogs },
  );
  for (const entry of entries) {
    checkLoggedVerifier(entry.entry, loggedFormOf(signing));
    checkLogValidity(entry, dates);
  }
  return {
    signer: signing.signer,
    ...(dates[0] === undefined ? {} : { signedAt: dates[0] }),
    times,
    logEntries: entries.map(toLoggedEntry),
    bundleDigest: digestOf(bytes),
    ...(options.manifestDigest === undefined ? {} : { manifestDigest: options.manifestDigest }),
  };
}

function identify(bundle: Bundle, content: Content, trust: TrustRoot): Signing {
  const certificate = readCertificate(bundle);
  if (certificate === undefined) {
    const trustedKey = resolveKey(bundle, content, trust.keys);
    const { fingerprint, name } = trustedKey;
    const signer = { kind: 'key', fingerprint, ...(name === undefined ? {} : { name }) } as const;
    return { key: trustedKey.publicKey, signer, trustedKey };
  }
  if (!schemeOf(certificate.publicKey).ok)
    throw new Rejected('KEY_UNSUPPORTED', 'the key in the certificate is of a kind or size that is not accepted');
  // First, because it is quick, and the plainest answer when payload, signature or certificate was exchanged.
  if (!isSignedWith(certificate.publicKey, content))
    throw new Rejected('SIGNATURE_INVALID', 'the signature is not one over this content by the key in the certificate');
  return { key: certificate.publicKey, signer: certificate.signer, certificate };
}

function checkSigningTimes({ certificate, trustedKey }: Signing, dates: readonly Date[]): void {
  const parsed = certificate?.parsed;
  const late = parsed === undefined ? undefined : dates.find((date) => !parsed.validForDate(date));
  if (parsed !== undefined && late !== undefined)
    throw new Rejected(
      'CERTIFICATE_EXPIRED',
      `the signature is recorded at ${late.toISOString()}, and the certificate is valid from ${parsed.notBefore.toISOString()} to ${parsed.notAfter.toISOString()}`,
    );
  const { start, end } = trustedKey?.validFor ?? {};
  const outside = dates.find((date) => (start !== undefined && date < start) || (end !== undefined && date > end));
  if (outside !== undefined || (dates.length === 0 && (start ?? end) !== undefined))
    throw new Rejected(
      'KEY_OUTSIDE_VALIDITY',
      `the key was not valid at ${outside?.toISOString() ?? 'an unknown time'}, when the signature is recorded`,
    );
}

function loggedFormOf({ key, certificate }: Signing): LoggedVerifier {
  return certificate === undefined ? { kind: 'key', spki: spkiOf(key) } : { kind: 'certificate', der: certificate.der };
}
