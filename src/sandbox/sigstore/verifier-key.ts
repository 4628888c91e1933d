import { createPublicKey, verify, X509Certificate, type KeyObject } from 'node:crypto';

/** The public key in a PEM file of either a certificate or a key. @throws Error */
export function keyOfPem(pem: string): KeyObject {
  return pem.includes('BEGIN CERTIFICATE') ? new X509Certificate(pem).publicKey : createPublicKey(pem);
}

const HASH_BY_CURVE: Readonly<Record<string, string>> = {
  prime256v1: 'sha256',
  secp384r1: 'sha384',
  secp521r1: 'sha512',
};

/** Whether `signature` is by `key` over `data`, with the hash that Sigstore pairs with that kind of key. */
export function verifiesData(key: KeyObject, data: Uint8Array, signature: Uint8Array): boolean {
  if (key.asymmetricKeyType === 'ed25519') return verify(null, data, key, signature);
  const hash = key.asymmetricKeyType === 'rsa' ? 'sha256' : HASH_BY_CURVE[key.asymmetricKeyDetails?.namedCurve ?? ''];
  return hash !== undefined && verify(hash, data, key, signature);
}
