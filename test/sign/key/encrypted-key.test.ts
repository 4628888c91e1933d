import { describe, expect, test } from 'vitest';
import { decryptKey, encryptKey } from '../../../src/sign/key/encrypted-key.ts';
import { readPem, writePem } from '../../../src/sign/key/pem.ts';
import { KEY_PASSWORD, keyFile } from '../../support/keys.ts';

interface Document {
  readonly kdf: { readonly params: object };
  readonly cipher: object;
  readonly ciphertext: string;
}

const original = JSON.parse(readPem(keyFile('cosign-p256.key'))[0]?.bytes.toString() ?? '') as Document;
const open = (document: object, password = KEY_PASSWORD) =>
  decryptKey(writePem('ENCRYPTED SIGSTORE PRIVATE KEY', Buffer.from(JSON.stringify(document))), password, 'the key');

describe("cosign's encrypted key", () => {
  test('opens when nothing in it is changed', async () => {
    expect((await open(original)).length).toBeGreaterThan(100);
  });

  test('opens again after it was written here, in the same form', async () => {
    const pem = await encryptKey(Buffer.from('a key'), 'secret');
    expect(await decryptKey(pem, 'secret', 'the key')).toEqual(Buffer.from('a key'));
    const written = JSON.parse(readPem(pem)[0]?.bytes.toString() ?? '') as Document;
    expect(written.kdf.params).toEqual(original.kdf.params);
    expect(Object.keys(written)).toEqual(Object.keys(original));
  });

  test('never comes out the same twice', async () => {
    expect(await encryptKey(Buffer.from('a key'), 'secret')).not.toBe(await encryptKey(Buffer.from('a key'), 'secret'));
  });

  test.each([
    ['a changed tag', { ...original, ciphertext: flip(original.ciphertext, 0) }],
    ['a changed ciphertext', { ...original, ciphertext: flip(original.ciphertext, 40) }],
    ['a truncated ciphertext', { ...original, ciphertext: original.ciphertext.slice(0, 40) }],
  ])('does not open with %s', async (_, document) => {
    await expect(open(document)).rejects.toMatchObject({ code: 'KEY_PASSWORD' });
  });

  test.each([
    ['N of 2^20', params({ N: 2 ** 20, r: 8, p: 1 })],
    ['N of 2', params({ N: 2, r: 8, p: 1 })],
    ['r of 1024', params({ N: 65_536, r: 1024, p: 1 })],
    ['p of 1024', params({ N: 65_536, r: 8, p: 1024 })],
    ['another derivation', { ...original, kdf: { ...original.kdf, name: 'pbkdf2' } }],
    ['another cipher', { ...original, cipher: { ...original.cipher, name: 'aes' } }],
    ['a short nonce', { ...original, cipher: { ...original.cipher, nonce: 'AAAA' } }],
    ['no ciphertext', { kdf: original.kdf, cipher: original.cipher }],
  ])('is refused with %s, before any work is done for it', async (_, document) => {
    await expect(open(document)).rejects.toMatchObject({ code: 'KEY_INVALID' });
  });

  test('is refused when its content is no JSON', async () => {
    const pem = writePem('ENCRYPTED SIGSTORE PRIVATE KEY', Buffer.from('no'));
    await expect(decryptKey(pem, KEY_PASSWORD, 'the key')).rejects.toMatchObject({ code: 'KEY_INVALID' });
  });
});

function params(changed: object): object {
  return { ...original, kdf: { ...original.kdf, params: changed } };
}

function flip(base64: string, at: number): string {
  const bytes = Buffer.from(base64, 'base64');
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return bytes.toString('base64');
}
