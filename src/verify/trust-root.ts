import type { KeyObject } from 'node:crypto';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toTrustMaterial, type TrustMaterial } from '@sigstore/verify';
import { BoltsealError, messageOf } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import type { Digest } from '../oci/digest.ts';
import { fingerprintOf, readPublicKey, schemeOf } from './public-key.ts';
import { checkTrustRoot, unwrapTrustRoot } from './trust-root-shape.ts';

/** Whom to believe: certificate authorities, logs and timestamp authorities of a Sigstore, and public keys. */
export interface TrustRoot {
  readonly material: Omit<TrustMaterial, 'publicKey'>;
  /** URL of each timestamp authority, in the order of `material.timestampAuthorities`. */
  readonly timestampAuthorityUrls: readonly string[];
  readonly keys: readonly TrustedKey[];
}

export interface TrustedKey {
  readonly publicKey: KeyObject;
  readonly fingerprint: Digest;
  /** What the caller calls it; shown in results. */
  readonly name?: string;
  /** Signatures recorded outside are rejected. Both ends are included. */
  readonly validFor?: { readonly start?: Date; readonly end?: Date };
}

/**
 * Reads a trusted_root.json (media type 0.1 or 0.2), or the one inside a ClientTrustConfig. Strict: a field that is not
 * known, or a key without the start of its validity, is refused, because both would widen what is trusted.
 *
 * @throws BoltsealError TRUST_ROOT_INVALID
 */
export function loadTrustRoot(bytes: Uint8Array | string, what = 'the trusted root'): TrustRoot {
  try {
    const json = unwrapTrustRoot(parseJson(bytes, { what, maxBytes: LIMITS.trustRootBytes }));
    checkTrustRoot(json);
    return toTrustRoot(TrustedRoot.fromJSON(json));
  } catch (cause) {
    throw new BoltsealError('TRUST_ROOT_INVALID', `${what} cannot be used: ${messageOf(cause)}`, {
      hint: 'Get the current trusted_root.json of your Sigstore, for example with `cosign trusted-root create`.',
      cause,
    });
  }
}

function toTrustRoot(root: TrustedRoot): TrustRoot {
  const { certificateAuthorities, timestampAuthorities, tlogs, ctlogs } = toTrustMaterial(root, {});
  for (const certificate of [...certificateAuthorities, ...timestampAuthorities].flatMap((ca) => ca.certChain)) {
    // Getters that throw on a damaged certificate: here, and not in the middle of a verification.
    void [certificate.publicKey, certificate.notBefore, certificate.notAfter, certificate.serialNumber];
  }
  return {
    material: { certificateAuthorities, timestampAuthorities, tlogs, ctlogs },
    timestampAuthorityUrls: root.timestampAuthorities.map(({ uri }) => uri),
    keys: [],
  };
}

/** A trust root that trusts nobody, for adding keys to. */
export const NO_TRUST: TrustRoot = {
  material: { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] },
  timestampAuthorityUrls: [],
  keys: [],
};

/** The trust root with more keys: what they signed is accepted beside what the certificate authorities vouch for. */
export function withKeys(root: TrustRoot, keys: readonly TrustedKey[]): TrustRoot {
  return { ...root, keys: [...root.keys, ...keys] };
}

/**
 * Reads a public key: PEM, or DER SubjectPublicKeyInfo.
 *
 * @throws BoltsealError TRUST_ROOT_INVALID
 */
export function loadTrustedKey(
  bytes: Uint8Array,
  options: { readonly name?: string; readonly validFor?: NonNullable<TrustedKey['validFor']> } = {},
): TrustedKey {
  const what = options.name === undefined ? 'the key' : `the key ${options.name}`;
  const publicKey = readPublicKey(bytes);
  if (publicKey === undefined)
    throw new BoltsealError('TRUST_ROOT_INVALID', `${what} is not a public key in PEM or DER`, {
      hint: 'Give the public half: a file that begins with -----BEGIN PUBLIC KEY-----.',
    });
  if (!schemeOf(publicKey).ok)
    throw new BoltsealError('TRUST_ROOT_INVALID', `${what} is of a kind or size that is not accepted`, {
      hint: 'Use ECDSA P-256, P-384 or P-521, Ed25519, or RSA of at least 2048 bits.',
    });
  return { publicKey, fingerprint: fingerprintOf(publicKey), ...options };
}
