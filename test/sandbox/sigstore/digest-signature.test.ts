import { createHash, generateKeyPairSync, sign, type KeyPairKeyObjectResult } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { verifiesDigest } from '../../../src/sandbox/sigstore/digest-signature.ts';

const KEYS: Readonly<Record<string, KeyPairKeyObjectResult>> = {
  'ECDSA P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'ECDSA P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'ECDSA P-521': generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  'RSA 2048': generateKeyPairSync('rsa', { modulusLength: 2048 }),
};

describe.for(Object.entries(KEYS))('a signature by %s', ([, { publicKey, privateKey }]) => {
  test('is accepted over the digest of what was signed, every time', () => {
    for (let round = 0; round < 10; round += 1) {
      const data = Buffer.from(`data ${round}`);
      expect(verifiesDigest(publicKey, sha256(data), sign('sha256', data, privateKey))).toBe(true);
    }
  });

  test('is refused over another digest', () => {
    const signature = sign('sha256', Buffer.from('data'), privateKey);
    expect(verifiesDigest(publicKey, sha256(Buffer.from('Data')), signature)).toBe(false);
  });

  test('is refused when one bit of it differs, or all of it is missing', () => {
    const data = Buffer.from('data');
    const signature = sign('sha256', data, privateKey);
    signature.writeUInt8(signature.readUInt8(signature.length - 1) ^ 1, signature.length - 1);
    expect(verifiesDigest(publicKey, sha256(data), signature)).toBe(false);
    expect(verifiesDigest(publicKey, sha256(data), Buffer.alloc(0))).toBe(false);
  });
});

test('a signature by Ed25519 is refused, since it is not over a digest', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const digest = sha256(Buffer.from('data'));
  expect(verifiesDigest(publicKey, digest, sign(null, digest, privateKey))).toBe(false);
});

test('a signature of zeros is refused', () => {
  const zeros = Buffer.from('3006020100020100', 'hex');
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
  expect(verifiesDigest(key, sha256(Buffer.from('data')), zeros)).toBe(false);
});

function sha256(data: Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}
