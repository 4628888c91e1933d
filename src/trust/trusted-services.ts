import { X509Certificate, type KeyObject } from 'node:crypto';
import { digestOf, type Digest } from '../oci/digest.ts';
import type { SigningConfig, SigningService } from '../sign/signing-config.ts';
import type { TrustRoot } from '../verify/trust-root.ts';
import type { TrustBundle } from './trust-bundle.ts';

/** One thing that is trusted, or signed at, and from when to when. */
export interface TrustedService {
  readonly kind:
    | 'certificate authority'
    | 'certificate log'
    | 'transparency log'
    | 'timestamp authority'
    | 'sign: certificate authority'
    | 'sign: identity provider'
    | 'sign: transparency log'
    | 'sign: timestamp authority';
  /** URL, or the name in the certificate. */
  readonly name: string;
  readonly start: Date;
  /** Absent when no end is set. */
  readonly end?: Date;
  /** sha256 of the public key's DER SubjectPublicKeyInfo, or of the certificate at the top of the chain. Absent for services to sign at. */
  readonly fingerprint?: Digest;
  /** Kind of key: "EC prime256v1", "ed25519". */
  readonly key?: string;
}

/** Everything a trust bundle names, in the order of the file. */
export function listServices({ trustRoot, signingConfig }: TrustBundle): readonly TrustedService[] {
  const { material, timestampAuthorityUrls } = trustRoot;
  return [
    ...material.certificateAuthorities.map((authority) => describeAuthority('certificate authority', authority)),
    ...material.ctlogs.map((log) => describeLog('certificate log', log)),
    ...material.tlogs.map((log) => describeLog('transparency log', log)),
    ...material.timestampAuthorities.map((authority, at) =>
      describeAuthority('timestamp authority', authority, timestampAuthorityUrls[at]),
    ),
    ...(signingConfig === undefined ? [] : signingServices(signingConfig)),
  ];
}

export function isValidAt({ start, end }: TrustedService, now: Date): boolean {
  return start <= now && (end === undefined || now <= end);
}

type Material = TrustRoot['material'];
type Authority = Material['certificateAuthorities'][number];
type Log = Material['tlogs'][number];

function describeAuthority(
  kind: TrustedService['kind'],
  { certChain, validFor }: Authority,
  url?: string,
): TrustedService {
  const certificates = certChain.map(({ root }) => new X509Certificate(root.toDER()));
  const [first] = certificates;
  const top = certificates.at(-1);
  return {
    kind,
    name: url === undefined || url === '' ? oneLine(first?.subject ?? '') : url,
    ...datesOf(validFor),
    ...(top === undefined ? {} : { fingerprint: digestOf(top.raw) }),
    ...(first === undefined ? {} : { key: keyName(first.publicKey) }),
  };
}

function describeLog(kind: TrustedService['kind'], { baseURL, publicKey, validFor }: Log): TrustedService {
  return {
    kind,
    name: baseURL,
    ...datesOf(validFor),
    fingerprint: digestOf(publicKey.export({ format: 'der', type: 'spki' })),
    key: keyName(publicKey),
  };
}

function signingServices({ fulcio, issuers, rekor, timestampAuthorities }: SigningConfig): readonly TrustedService[] {
  const describe =
    (kind: TrustedService['kind']) =>
    ({ url, validFor }: SigningService): TrustedService => ({ kind, name: url, ...validFor });
  return [
    ...fulcio.map(describe('sign: certificate authority')),
    ...issuers.map(describe('sign: identity provider')),
    ...rekor.map(describe('sign: transparency log')),
    ...timestampAuthorities.map(describe('sign: timestamp authority')),
  ];
}

/** The library stands for "no end" with the last moment a Date can hold. */
const LAST_YEAR = 9999;

function datesOf({ start, end }: Log['validFor']): Pick<TrustedService, 'start' | 'end'> {
  return end.getUTCFullYear() > LAST_YEAR ? { start } : { start, end };
}

function keyName({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string {
  const more = details?.namedCurve ?? details?.modulusLength;
  return [type, more].filter((part) => part !== undefined).join(' ');
}

function oneLine(subject: string): string {
  return subject.replaceAll('\n', ', ');
}
