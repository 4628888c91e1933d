import { createPrivateKey, createPublicKey, verify, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { generateKeyPair, importKey } from '../../../src/sign/key/key-pair.ts';
import { readPrivateKey } from '../../../src/sign/key/private-key.ts';
import { KEY_ALGORITHMS, type KeyAlgorithm } from '../../../src/sign/key/scheme.ts';
import { testContext } from '../../support/context.ts';
import { KEY_PASSWORD, keyFile } from '../../support/keys.ts';

const FAST = (Object.keys(KEY_ALGORITHMS) as KeyAlgorithm[]).filter((name) => !/3072|4096/.test(name));

describe('a generated key pair', () => {
  test.each(FAST)('of %s belongs together and opens with its password', async (algorithm) => {
    const pair = await generateKeyPair(algorithm, 'secret');
    expect(pair.algorithm).toBe(algorithm);
    const context = testContext({ env: { BOLTSEAL_PASSWORD: 'secret' } });
    const key = await readPrivateKey(pair.privateKeyPem, { what: 'the key' }, context);
    const hash = KEY_ALGORITHMS[algorithm].hash ?? null;
    const signature = sign(hash, Buffer.from('data'), key);
    expect(verify(hash, Buffer.from('data'), createPublicKey(pair.publicKeyPem), signature)).toBe(true);
  });

  test('does not open with another password', async () => {
    const { privateKeyPem } = await generateKeyPair('ed25519', 'secret');
    const context = testContext({ env: { BOLTSEAL_PASSWORD: 'Secret' } });
    await expect(readPrivateKey(privateKeyPem, { what: 'the key' }, context)).rejects.toMatchObject({
      code: 'KEY_PASSWORD',
    });
  });
});

describe('an imported key', () => {
  test('keeps its public half and gets a new password', async () => {
    const context = testContext({ env: { BOLTSEAL_PASSWORD: KEY_PASSWORD } });
    const pair = await importKey(
      keyFile('p256-pkcs8-encrypted.pem'),
      { what: 'the key', newPassword: 'secret' },
      context,
    );
    const original = createPublicKey(createPrivateKey(keyFile('p256-pkcs8.pem')));
    expect(createPublicKey(pair.publicKeyPem).equals(original)).toBe(true);
    const opened = await readPrivateKey(
      pair.privateKeyPem,
      { what: 'it' },
      testContext({ env: { BOLTSEAL_PASSWORD: 'secret' } }),
    );
    expect(createPublicKey(opened).equals(original)).toBe(true);
  });

  test('is refused when it could not sign', async () => {
    const options = { what: 'the key', newPassword: 'secret' };
    await expect(importKey(keyFile('rsa1024-pkcs8.pem'), options, testContext())).rejects.toMatchObject({
      code: 'KEY_INVALID',
    });
  });
});
