import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { asObject, asString, optional, required, type JsonObject } from '../base/shape.ts';
import { parseSigningConfig, type SigningConfig } from '../sign/signing-config.ts';
import { loadTrustRoot, type TrustRoot } from '../verify/trust-root.ts';

/** Whom to trust and where to sign, in one file: ClientTrustConfig of protobuf-specs 0.5, as JSON. */
export interface TrustBundle {
  readonly trustRoot: TrustRoot;
  readonly signingConfig?: SigningConfig;
  /** The trusted root as it is written, for comparing. */
  readonly trustedRootJson: JsonObject;
}

const CLIENT_TRUST_CONFIG_TYPE = 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json';

/**
 * Reads a trust bundle, or a trusted_root.json alone.
 *
 * @throws BoltsealError TRUST_ROOT_INVALID, SIGNING_CONFIG_INVALID, JSON_INVALID
 */
export function readTrustBundle(bytes: Uint8Array, what: string): TrustBundle {
  const trustRoot = loadTrustRoot(bytes, what);
  const object = asObject(parseJson(bytes, { what, maxBytes: LIMITS.trustRootBytes }), what);
  if (required(object, 'mediaType', asString) !== CLIENT_TRUST_CONFIG_TYPE)
    return { trustRoot, trustedRootJson: object };
  const trustedRootJson = required(object, 'trustedRoot', asObject);
  return optional(object, 'signingConfig', asObject) === undefined
    ? { trustRoot, trustedRootJson }
    : { trustRoot, trustedRootJson, signingConfig: parseSigningConfig(bytes, what) };
}

/**
 * Packs a trusted root, and a signing configuration where there is one. Both are checked first: a file that is carried to
 * where there is no network must not turn out there to be unusable.
 *
 * @throws BoltsealError TRUST_ROOT_INVALID, SIGNING_CONFIG_INVALID, JSON_INVALID
 */
export function packTrustBundle(trustedRoot: Uint8Array, signingConfig: Uint8Array | undefined): string {
  const { trustedRootJson } = readTrustBundle(trustedRoot, 'the trusted root');
  const config = signingConfig === undefined ? undefined : signingConfigJson(signingConfig);
  const bundle = {
    mediaType: CLIENT_TRUST_CONFIG_TYPE,
    trustedRoot: trustedRootJson,
    ...(config === undefined ? {} : { signingConfig: config }),
  };
  return `${JSON.stringify(bundle, undefined, 2)}\n`;
}

function signingConfigJson(bytes: Uint8Array): JsonObject {
  parseSigningConfig(bytes, 'the signing config');
  const object = asObject(parseJson(bytes, { what: 'the signing config', maxBytes: LIMITS.trustRootBytes }), 'it');
  return optional(object, 'signingConfig', asObject) ?? object;
}
