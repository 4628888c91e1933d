import type { Context } from '../../base/context.ts';
import type { Fulcio } from './fulcio.ts';
import type { Issuer } from './issuer.ts';
import type { LogKey } from './log-key.ts';
import type { TransparencyLog } from './rekor-v1.ts';
import type { TimestampAuthority } from './timestamp-authority.ts';

/** The services of a Sigstore instance. */
export interface SigstoreServices {
  readonly issuer: Issuer;
  readonly fulcio: Fulcio;
  readonly rekorV1: TransparencyLog;
  readonly rekorV2: TransparencyLog;
  readonly timestampAuthority: TimestampAuthority;
}

/** The mediaType that cosign and sigstore-go accept; protobuf-specs also knows `…trustedroot.v0.2+json`. */
const TRUSTED_ROOT_TYPE = 'application/vnd.dev.sigstore.trustedroot+json;version=0.1';
const SIGNING_CONFIG_TYPE = 'application/vnd.dev.sigstore.signingconfig.v0.2+json';
const OPERATOR = 'boltseal-sandbox';
const HOUR_MS = 3_600_000;

/** Who to believe: TrustedRoot of protobuf-specs 0.5, as JSON. */
export function trustedRoot(services: SigstoreServices, context: Context): object {
  const { fulcio, rekorV1, rekorV2, timestampAuthority } = services;
  const validFor = validSince(context);
  return {
    mediaType: TRUSTED_ROOT_TYPE,
    tlogs: [rekorV1, rekorV2].map(({ url, key }) => logInstance(url, key, validFor)),
    certificateAuthorities: [authority('sigstore', fulcio.url, [fulcio.rootCertificate], validFor)],
    ctlogs: [logInstance(`${fulcio.url}/ctlog`, fulcio.ctLog, validFor)],
    timestampAuthorities: [authority('tsa', timestampAuthority.endpoint, timestampAuthority.certificates, validFor)],
  };
}

/** Where to sign: SigningConfig v0.2 of protobuf-specs 0.5, as JSON. Rekor v2 comes first: both are there to be chosen from. */
export function signingConfig(services: SigstoreServices, context: Context): object {
  const { issuer, fulcio, rekorV1, rekorV2, timestampAuthority } = services;
  const service = (url: string, majorApiVersion = 1): object => ({
    url,
    majorApiVersion,
    validFor: validSince(context),
    operator: OPERATOR,
  });
  return {
    mediaType: SIGNING_CONFIG_TYPE,
    caUrls: [service(fulcio.url)],
    oidcUrls: [service(issuer.url)],
    rekorTlogUrls: [service(rekorV2.url, 2), service(rekorV1.url)],
    rekorTlogConfig: { selector: 'ANY' },
    tsaUrls: [service(timestampAuthority.endpoint)],
    tsaConfig: { selector: 'ANY' },
  };
}

/** From an hour ago, so that a clock that is a little behind still finds the services valid. */
function validSince(context: Context): { readonly start: string } {
  return { start: new Date(context.now().getTime() - HOUR_MS).toISOString() };
}

function logInstance(baseUrl: string, key: LogKey, validFor: object): object {
  return {
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: key.publicKey.toString('base64'), keyDetails: key.keyDetails, validFor },
    logId: { keyId: key.id.toString('base64') },
    operator: OPERATOR,
  };
}

function authority(name: string, uri: string, certificates: readonly Buffer[], validFor: object): object {
  return {
    subject: { organization: 'sigstore.mock', commonName: name },
    uri,
    certChain: { certificates: certificates.map((der) => ({ rawBytes: der.toString('base64') })) },
    validFor,
    operator: OPERATOR,
  };
}
