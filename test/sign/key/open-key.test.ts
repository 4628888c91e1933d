import { generateKeyPairSync, verify } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openKey } from '../../../src/sign/key/open-key.ts';
import { testContext } from '../../support/context.ts';
import { KEY_PASSWORD, keyFile, keyPath } from '../../support/keys.ts';
import { writeKmsPlugin } from '../../support/kms-plugin.ts';

describe('a key reference', () => {
  test('names a file', async () => {
    const context = testContext({ env: { COSIGN_PASSWORD: KEY_PASSWORD } });
    const key = await openKey(keyPath('cosign-p256.key'), {}, context);
    expect(key.publicKey.export({ format: 'pem', type: 'spki' })).toBe(keyFile('cosign-p256.pub'));
  });

  test('names a variable', async () => {
    const context = testContext({ env: { MY_KEY: keyFile('p384-sec1.pem') } });
    expect((await openKey('env://MY_KEY', {}, context)).scheme.algorithm).toBe('ecdsa-sha2-384-nistp384');
  });

  test.each([
    ['env://OTHER', 'KEY_INVALID', /the variable OTHER is not set/],
    ['no/such/file', 'FILE_NOT_FOUND', /does not exist/],
    ['.', 'FILE_UNREADABLE', /cannot be read/],
    ['k8s://namespace/name', 'KEY_INVALID', /there is no sigstore-kms-k8s on the PATH/],
  ])('%s leads to %s', async (reference, code, message) => {
    await expect(openKey(reference, {}, testContext())).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });
});

describe('a plugin', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'boltseal-plugin-'));
    writeKmsPlugin(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const contextWith = (env: Record<string, string>) =>
    testContext({ now: () => new Date(), env: { PATH: [folder, '/bin'].join(delimiter), ...env } });

  test.each([
    ['p256-pkcs8.pem', 'sha256'],
    ['p521-pkcs8.pem', 'sha512'],
    ['rsa2048-pkcs1.pem', 'sha256'],
    ['ed25519-pkcs8.pem', null],
  ])('signs with %s, and what it says on stderr is shown', async (name, hash) => {
    const context = contextWith({ PLUGIN_KEY: keyFile(name) });
    const key = await openKey('test://slot/1', {}, context);
    const pending = key.begin();
    pending.update(Buffer.from('a '));
    pending.update(Buffer.from('message'));
    const signature = await pending.finish(context);
    expect(verify(hash, Buffer.from('a message'), key.publicKey, signature)).toBe(true);
    expect(context.events).toContainEqual({ kind: 'step', message: 'sigstore-kms-test: touch the device' });
  });

  test.each([
    ['test://slot/2', {}, /no such key: slot\/2/],
    ['test://slot/1', { MODE: 'garbage' }, /not valid JSON/],
    ['test://slot/1', { MODE: 'flood' }, /more than 262144 bytes/],
    ['test://slot/1', { MODE: 'crash' }, /it was ended by SIGTERM/],
  ])('%s with %o fails with a reason', async (reference, env, message) => {
    const context = contextWith({ PLUGIN_KEY: keyFile('p256-pkcs8.pem'), ...env });
    await expect(openKey(reference, {}, context)).rejects.toMatchObject({
      code: 'KEY_SERVICE_FAILED',
      message: expect.stringMatching(message),
    });
  });

  test('whose signature is over something else is not believed', async () => {
    const context = contextWith({ PLUGIN_KEY: keyFile('p256-pkcs8.pem'), MODE: 'digest-as-message' });
    const pending = (await openKey('test://slot/1', {}, context)).begin();
    pending.update(Buffer.from('a message'));
    await expect(pending.finish(context)).rejects.toMatchObject({ code: 'KEY_SERVICE_FAILED' });
  });

  test('with a key of another kind is refused', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    await expect(openKey('test://slot/1', {}, contextWith({ PLUGIN_KEY: pem }))).rejects.toMatchObject({
      code: 'KEY_INVALID',
    });
  });

  test('is stopped when the run is interrupted', async () => {
    const abort = new AbortController();
    const context = { ...contextWith({ PLUGIN_KEY: keyFile('p256-pkcs8.pem') }), signal: abort.signal };
    const opening = openKey('test://slot/1', {}, context);
    abort.abort();
    await expect(opening).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});
