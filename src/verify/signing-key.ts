import type { Bundle } from '@sigstore/bundle';
import { encodedOf, type Digest } from '../oci/digest.ts';
import { isSignedWith, type Content } from './content.ts';
import { Rejected } from './rejection.ts';
import type { TrustedKey } from './trust-root.ts';

/**
 * Which of the trusted keys made the signature of a bundle without certificate. The hint is a claim: when it is the
 * fingerprint of a trusted key, only that key may have signed; when it is anything else, each key is tried.
 * The answer is the key that did verify.
 *
 * @throws Rejected KEY_UNKNOWN, SIGNATURE_INVALID
 */
export function resolveKey(bundle: Bundle, content: Content, keys: readonly TrustedKey[]): TrustedKey {
  const named = namedKey(bundle, keys);
  const signed = (key: TrustedKey): boolean => isSignedWith(key.publicKey, content);
  if (named !== undefined) {
    if (signed(named)) return named;
    throw new Rejected('SIGNATURE_INVALID', 'the signature does not verify with the trusted key that the bundle names');
  }
  const found = keys.find(signed);
  if (found !== undefined) return found;
  const reason = keys.length === 0 ? 'no key is trusted' : `none of the ${keys.length} trusted keys made the signature`;
  throw new Rejected('KEY_UNKNOWN', `the bundle is signed with a key, and ${reason}`);
}

/** The trusted key that the bundle's hint names, if it names one. */
export function namedKey(bundle: Bundle, keys: readonly TrustedKey[]): TrustedKey | undefined {
  const { content: material } = bundle.verificationMaterial;
  const hint = material.$case === 'publicKey' ? material.publicKey.hint : '';
  return keys.find(({ fingerprint }) => hintOf(fingerprint) === hint || fingerprint === hint);
}

/** cosign's hint: base64 of the sha256 of the DER SubjectPublicKeyInfo. */
function hintOf(fingerprint: Digest): string {
  return Buffer.from(encodedOf(fingerprint), 'hex').toString('base64');
}
