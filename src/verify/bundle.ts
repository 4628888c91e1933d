import {
  BUNDLE_V01_MEDIA_TYPE,
  BUNDLE_V02_MEDIA_TYPE,
  BUNDLE_V03_LEGACY_MEDIA_TYPE,
  BUNDLE_V03_MEDIA_TYPE,
  bundleFromJSON,
  type Bundle,
} from '@sigstore/bundle';
import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { asObject, asString, required } from '../base/shape.ts';
import { Rejected } from './rejection.ts';

/** Compared whole: the library matches the beginning only, so that `…version=0.3-anything` would do. */
const MEDIA_TYPES: readonly string[] = [
  BUNDLE_V01_MEDIA_TYPE,
  BUNDLE_V02_MEDIA_TYPE,
  BUNDLE_V03_LEGACY_MEDIA_TYPE,
  BUNDLE_V03_MEDIA_TYPE,
];

const ALTERNATIVES: readonly (readonly string[])[] = [
  ['dsseEnvelope', 'messageSignature'],
  ['publicKey', 'x509CertificateChain', 'certificate'],
];

/**
 * Reads a Sigstore bundle, 0.1 to 0.3. One of each alternative is there: the library takes the first of several.
 *
 * @throws Rejected BUNDLE_MALFORMED, BUNDLE_VERSION_UNSUPPORTED
 */
export function parseBundle(bytes: Uint8Array): Bundle {
  const json = attempt(() => {
    const object = asObject(parseJson(bytes, { what: 'the bundle', maxBytes: LIMITS.bundleBytes }), 'the bundle');
    const material = required(object, 'verificationMaterial', asObject);
    return { object, mediaType: required(object, 'mediaType', asString), material };
  });
  if (!MEDIA_TYPES.includes(json.mediaType))
    throw new Rejected('BUNDLE_VERSION_UNSUPPORTED', `the bundle has the media type "${json.mediaType}"`);
  for (const names of ALTERNATIVES) {
    const there = names.filter((name) => Object.hasOwn(json.object, name) || Object.hasOwn(json.material, name));
    if (there.length !== 1)
      throw new Rejected(
        'BUNDLE_MALFORMED',
        `the bundle has ${there.join(' and ') || 'none'} where it needs one of ${names.join(', ')}`,
      );
  }
  return withinLimits(attempt(() => bundleFromJSON(json.object)));
}

function withinLimits(bundle: Bundle): Bundle {
  const { tlogEntries, timestampVerificationData } = bundle.verificationMaterial;
  const counts = {
    'log entries': tlogEntries.length,
    timestamps: timestampVerificationData?.rfc3161Timestamps.length ?? 0,
  };
  for (const [what, count] of Object.entries(counts))
    if (count > LIMITS.proofsPerBundle)
      throw new Rejected(
        'BUNDLE_MALFORMED',
        `the bundle has ${count} ${what}, more than the ${LIMITS.proofsPerBundle} that are looked at`,
      );
  return bundle;
}

function attempt<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new Rejected('BUNDLE_MALFORMED', 'the bundle cannot be read', cause);
  }
}
