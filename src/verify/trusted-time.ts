import { X509Certificate as NodeCertificate } from 'node:crypto';
import type { Bundle } from '@sigstore/bundle';
import type { TrustMaterial } from '@sigstore/verify';
import type { TrustedLogEntry } from './log-entry.ts';
import { Rejected } from './rejection.ts';
import { Timestamp } from './timestamp.ts';
import type { TrustRoot } from './trust-root.ts';
import type { TrustedTime } from './verification.ts';

type Authority = TrustMaterial['timestampAuthorities'][number];

const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';

/** A timestamp of an authority that the trust root lists. Its signature is not verified yet. */
export interface TrustedTimestamp {
  readonly timestamp: Timestamp;
  readonly time: TrustedTime;
}

/**
 * The timestamps that count: whose signer is, by issuer and serial number, an authority of the trust root with a
 * certificate for nothing but time stamping, which the library does not look at. Others are left out, so that they cannot spoil
 * one that counts. Certificates inside the token are ignored.
 *
 * @throws Rejected TIMESTAMP_INVALID, TIMESTAMP_DUPLICATE
 */
export function selectTimestamps(bundle: Bundle, trust: TrustRoot): readonly TrustedTimestamp[] {
  const tokens = bundle.verificationMaterial.timestampVerificationData?.rfc3161Timestamps ?? [];
  const distinct = new Set(tokens.map(({ signedTimestamp }) => signedTimestamp.toString('base64')));
  if (distinct.size !== tokens.length) throw new Rejected('TIMESTAMP_DUPLICATE', 'the bundle repeats one timestamp');
  return tokens.flatMap(({ signedTimestamp }) => read(signedTimestamp, trust));
}

/** The times that logs promise: signed with the entry where there is an inclusion promise. */
export function promisedTimes(entries: readonly TrustedLogEntry[]): readonly TrustedTime[] {
  return entries
    .filter(({ entry }) => entry.inclusionPromise !== undefined && entry.integratedTime !== '0')
    .map(({ entry, logUrl }) => ({
      at: new Date(Number(entry.integratedTime) * 1000),
      source: 'transparency-log',
      authority: logUrl,
    }));
}

/**
 * Times count once per authority, however often it speaks.
 *
 * @throws Rejected TIMESTAMP_MISSING
 */
export function checkTimes(times: readonly TrustedTime[], needed: number): void {
  const distinct = new Set(times.map(({ source, authority }) => `${source} ${authority}`)).size;
  if (distinct < needed)
    throw new Rejected('TIMESTAMP_MISSING', `${distinct} trusted times where ${needed} are needed`);
}

function read(der: Buffer, trust: TrustRoot): readonly TrustedTimestamp[] {
  const { timestamp, issuer, serial } = parse(der);
  const at = trust.material.timestampAuthorities.findIndex((authority) => isSigner(authority, issuer, serial));
  if (at < 0) return [];
  if (!timestamp.granted) throw new Rejected('TIMESTAMP_INVALID', 'the timestamp authority refused the request');
  const time = {
    at: timeOf(timestamp),
    source: 'timestamp-authority',
    authority: trust.timestampAuthorityUrls[at] ?? '',
  };
  return [{ timestamp, time: time as TrustedTime }];
}

function parse(der: Buffer): { timestamp: Timestamp; issuer: Buffer; serial: Buffer } {
  try {
    const timestamp = Timestamp.parse(Buffer.from(der));
    return { timestamp, issuer: timestamp.signerIssuer, serial: timestamp.signerSerialNumber };
  } catch (cause) {
    throw new Rejected('TIMESTAMP_INVALID', 'a timestamp cannot be read', cause);
  }
}

function timeOf(timestamp: Timestamp): Date {
  try {
    return timestamp.signingTime;
  } catch (cause) {
    throw new Rejected('TIMESTAMP_INVALID', 'the time in a timestamp cannot be read', cause);
  }
}

function isSigner({ certChain: [leaf] }: Authority, issuer: Buffer, serial: Buffer): boolean {
  if (leaf === undefined || !leaf.issuer.equals(issuer) || !leaf.serialNumber.equals(serial)) return false;
  const usages: readonly string[] = new NodeCertificate(leaf.root.toDER()).keyUsage ?? [];
  return usages.length === 1 && usages[0] === TIME_STAMPING;
}
