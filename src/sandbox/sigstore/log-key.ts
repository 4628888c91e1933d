import { createHash, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

/** The signing key of a log, with what its signatures are recognised by. */
export interface LogKey {
  /** The signer's name on checkpoints: the log's host, without the port, which is where sigstore-go looks for it. */
  readonly name: string;
  /** DER, SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  /** Log ID; its first four bytes are the key hint of a checkpoint's signature. */
  readonly id: Buffer;
  readonly keyDetails: 'PKIX_ECDSA_P256_SHA_256' | 'PKIX_ED25519';
  readonly sign: (data: Uint8Array) => Buffer;
}

/** ECDSA P-256, as Rekor v1 and CT logs have it. The ID is the SHA-256 of the public key (RFC 6962, section 3.2). */
export function ecdsaLogKey(name: string, privateKey: KeyObject = newEcdsaKey()): LogKey {
  const publicKey = derOf(privateKey);
  return {
    name,
    publicKey,
    id: createHash('sha256').update(publicKey).digest(),
    keyDetails: 'PKIX_ECDSA_P256_SHA_256',
    sign: (data) => sign('sha256', data, privateKey),
  };
}

/** Ed25519, as Rekor v2 has it. The ID is that of a signed note (C2SP signed-note 1.0): name, algorithm 0x01, key. */
export function ed25519LogKey(name: string): LogKey {
  const { privateKey } = generateKeyPairSync('ed25519');
  const publicKey = derOf(privateKey);
  return {
    name,
    publicKey,
    id: createHash('sha256')
      .update(`${name}\n`)
      .update(Uint8Array.of(1))
      .update(publicKey.subarray(-ED25519_KEY_BYTES))
      .digest(),
    keyDetails: 'PKIX_ED25519',
    sign: (data) => sign(null, data, privateKey),
  };
}

export function newEcdsaKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** RFC 8410, section 4: the key is the end of the SubjectPublicKeyInfo. */
const ED25519_KEY_BYTES = 32;

function derOf(privateKey: KeyObject): Buffer {
  return createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
}
