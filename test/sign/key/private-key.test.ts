import { createPublicKey, sign, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readPem, writePem } from '../../../src/sign/key/pem.ts';
import { readPrivateKey } from '../../../src/sign/key/private-key.ts';
import { schemeOf } from '../../../src/sign/key/scheme.ts';
import { testContext } from '../../support/context.ts';
import { KEY_PASSWORD, keyFile } from '../../support/keys.ts';

const withPassword = testContext({ env: { COSIGN_PASSWORD: KEY_PASSWORD } });
const without = testContext();
const read = (pem: string, context = withPassword) => readPrivateKey(pem, { what: 'the key' }, context);

describe('reading a private key', () => {
  test.each([
    ['p256-pkcs8.pem', 'ecdsa-sha2-256-nistp256', 'PKIX_ECDSA_P256_SHA_256'],
    ['p384-sec1.pem', 'ecdsa-sha2-384-nistp384', 'PKIX_ECDSA_P384_SHA_384'],
    ['p521-pkcs8.pem', 'ecdsa-sha2-512-nistp521', 'PKIX_ECDSA_P521_SHA_512'],
    ['rsa2048-pkcs1.pem', 'rsa-sign-pkcs1-2048-sha256', 'PKIX_RSA_PKCS1V15_2048_SHA256'],
    ['rsa3072-pkcs8.pem', 'rsa-sign-pkcs1-3072-sha256', 'PKIX_RSA_PKCS1V15_3072_SHA256'],
    ['ed25519-pkcs8.pem', 'ed25519', 'PKIX_ED25519'],
    ['cosign-p256.key', 'ecdsa-sha2-256-nistp256', 'PKIX_ECDSA_P256_SHA_256'],
    ['p256-pkcs8-encrypted.pem', 'ecdsa-sha2-256-nistp256', 'PKIX_ECDSA_P256_SHA_256'],
    ['rsa2048-traditional-encrypted.pem', 'rsa-sign-pkcs1-2048-sha256', 'PKIX_RSA_PKCS1V15_2048_SHA256'],
  ])('takes %s as %s', async (name, algorithm, keyDetails) => {
    const key = await read(keyFile(name));
    expect(key.type).toBe('private');
    expect(schemeOf(key, 'the key')).toMatchObject({ algorithm, keyDetails });
  });

  test('gives the key that belongs to the public key cosign wrote beside it', async () => {
    const signature = sign('sha256', Buffer.from('data'), await read(keyFile('cosign-p256.key')));
    const publicKey = createPublicKey(keyFile('cosign-p256.pub'));
    expect(verify('sha256', Buffer.from('data'), publicKey, signature)).toBe(true);
    expect(verify('sha256', Buffer.from('date'), publicKey, signature)).toBe(false);
  });

  test('takes the older label of a cosign key', async () => {
    const older = keyFile('cosign-p256.key').replaceAll('SIGSTORE', 'COSIGN');
    expect((await read(older)).asymmetricKeyType).toBe('ec');
  });
});

describe('refusing a private key', () => {
  test.each([
    ['rsa1024-pkcs8.pem', /of a kind that does not sign: rsa with 1024 bits/],
    ['secp256k1-pkcs8.pem', /of a kind that does not sign: secp256k1/],
    ['cosign-p256.pub', /it is a public key/],
    ['p256-pkcs8-costly.pem', /more than 5000000 rounds/],
    ['README.md', /it is not PEM/],
  ])('refuses %s', async (name, message) => {
    await expect(read(keyFile(name))).rejects.toMatchObject({
      code: 'KEY_INVALID',
      message: expect.stringMatching(message),
    });
  });

  test.each(['cosign-p256.key', 'p256-pkcs8-encrypted.pem', 'rsa2048-traditional-encrypted.pem'])(
    'refuses %s with a wrong password, and without one',
    async (name) => {
      const wrong = testContext({ env: { COSIGN_PASSWORD: `${KEY_PASSWORD}!` } });
      await expect(read(keyFile(name), wrong)).rejects.toMatchObject({
        code: 'KEY_PASSWORD',
        message: 'the key does not open with this password',
      });
      await expect(read(keyFile(name), without)).rejects.toMatchObject({
        code: 'KEY_PASSWORD',
        message: 'there is no password for the key',
      });
    },
  );

  test('refuses a file with two private keys', async () => {
    const two = keyFile('p256-pkcs8.pem') + keyFile('ed25519-pkcs8.pem');
    await expect(read(two)).rejects.toMatchObject({ code: 'KEY_INVALID' });
  });

  test('refuses a damaged key and does not show what is in it', async () => {
    const [block] = readPem(keyFile('p256-pkcs8.pem'));
    const bytes = block?.bytes ?? Buffer.alloc(0);
    const error: unknown = await read(writePem('PRIVATE KEY', bytes.subarray(0, 60))).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'KEY_INVALID' });
    expect(error).not.toHaveProperty('cause');
  });

  test('refuses a file larger than any key', async () => {
    await expect(read('x'.repeat(1024 * 1024 + 1))).rejects.toMatchObject({ code: 'KEY_INVALID' });
  });
});

describe('the password', () => {
  test('is taken from BOLTSEAL_PASSWORD before COSIGN_PASSWORD', async () => {
    const both = testContext({ env: { BOLTSEAL_PASSWORD: KEY_PASSWORD, COSIGN_PASSWORD: 'another' } });
    expect((await read(keyFile('cosign-p256.key'), both)).type).toBe('private');
  });

  test('is asked for when the environment has none', async () => {
    const asked: string[] = [];
    const askPassword = (prompt: string) => {
      asked.push(prompt);
      return Promise.resolve(KEY_PASSWORD);
    };
    await readPrivateKey(keyFile('cosign-p256.key'), { what: 'a.key', askPassword }, without);
    await readPrivateKey(keyFile('cosign-p256.key'), { what: 'a.key', askPassword }, withPassword);
    expect(asked).toEqual(['Password for a.key: ']);
  });

  test('is not asked for when the key is not encrypted', async () => {
    const askPassword = () => Promise.reject(new Error('asked'));
    const key = await readPrivateKey(keyFile('p256-pkcs8.pem'), { what: 'a.key', askPassword }, without);
    expect(key.type).toBe('private');
  });
});
