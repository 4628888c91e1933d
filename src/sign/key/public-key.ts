import { createHash, type KeyObject } from 'node:crypto';
import { digestOf, type Digest } from '../../oci/digest.ts';

/** What a bundle says of its key (protobuf-specs 0.5, PublicKeyIdentifier), as cosign forms it: base64 of the fingerprint. */
export function publicKeyHint(publicKey: KeyObject): string {
  return createHash('sha256').update(spkiOf(publicKey)).digest('base64');
}

/** SHA-256 of the DER SubjectPublicKeyInfo: one name for a key, whatever file it came in. */
export function publicKeyFingerprint(publicKey: KeyObject): Digest {
  return digestOf(spkiOf(publicKey));
}

function spkiOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ format: 'der', type: 'spki' });
}
