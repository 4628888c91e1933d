import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openKey } from '../../../src/sign/key/open-key.ts';
import { testContext } from '../../support/context.ts';
import { bodyOf, json, send, startServer, type Answer } from '../../support/http-server.ts';
import { keyFile } from '../../support/keys.ts';

const MESSAGE = Buffer.from('a message');
const NAMES = ['p256-pkcs8.pem', 'p384-sec1.pem', 'p521-pkcs8.pem', 'rsa2048-pkcs1.pem'] as const;
const HASHES: Readonly<Record<(typeof NAMES)[number], string>> = {
  'p256-pkcs8.pem': 'sha256',
  'p384-sec1.pem': 'sha384',
  'p521-pkcs8.pem': 'sha512',
  'rsa2048-pkcs1.pem': 'sha256',
};
const folder = mkdtempSync(join(tmpdir(), 'boltseal-credentials-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Held {
  readonly key: KeyObject;
  readonly pem: string;
  readonly hash: string;
  /** Signs the message, when the digest is its digest: Node signs no digests. */
  readonly signDigest: (digest: string, encoding?: 'base64' | 'base64url', form?: 'ieee-p1363') => Buffer;
}

interface Asked {
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface Service {
  /** The reference of the key at this server. */
  readonly reference: (host: string) => string;
  readonly env: (origin: string) => Record<string, string>;
  /** What makes a request acceptable; the same request without it is refused. */
  readonly isAuthorized: (asked: Asked) => boolean;
  readonly answer: (asked: Asked, held: Held) => Answer;
}

const gcpName = 'projects/p/locations/global/keyRings/r/cryptoKeys/k';

const SERVICES: Readonly<Record<string, Service>> = {
  vault: {
    reference: () => 'hashivault://release',
    env: (origin) => ({
      VAULT_ADDR: origin,
      VAULT_TOKEN: 'the-secret',
      VAULT_NAMESPACE: 'team',
      TRANSIT_SECRET_ENGINE_PATH: 'my/transit',
    }),
    isAuthorized: ({ headers }) => headers['x-vault-token'] === 'the-secret' && headers['x-vault-namespace'] === 'team',
    answer({ url, body }, { pem, hash, signDigest }) {
      if (url.pathname === '/v1/my/transit/keys/release')
        return json(200, { data: { latest_version: 3, keys: { 1: { public_key: 'old' }, 3: { public_key: pem } } } });
      const asked = JSON.parse(body) as Record<string, unknown>;
      if (url.pathname !== '/v1/my/transit/sign/release' || asked['key_version'] !== 3 || asked['prehashed'] !== true)
        return json(400, { errors: ['bad request'] });
      if (asked['hash_algorithm'] !== hash.replace('sha', 'sha2-')) return json(400, { errors: ['bad hash'] });
      return json(200, { data: { signature: `vault:v3:${signDigest(String(asked['input'])).toString('base64')}` } });
    },
  },
  aws: {
    reference: () => 'awskms:///alias/release',
    env: (origin) => ({
      AWS_ENDPOINT_URL_KMS: origin,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'the-secret',
      AWS_SESSION_TOKEN: 'session',
    }),
    isAuthorized: ({ headers }) =>
      headers['x-amz-security-token'] === 'session' &&
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/kms\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=[0-9a-f]{64}$/.test(
        headers.authorization ?? '',
      ),
    answer({ headers, body }, { key, hash, signDigest }) {
      const asked = JSON.parse(body) as Record<string, string>;
      const family = key.asymmetricKeyType === 'rsa' ? 'RSASSA_PKCS1_V1_5' : 'ECDSA';
      if (headers['x-amz-target'] === 'TrentService.GetPublicKey' && asked['KeyId'] === 'alias/release') {
        const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
        return json(200, { KeyId: 'arn:the-key', PublicKey: spki.toString('base64') });
      }
      const { KeyId, Message = '', MessageType, SigningAlgorithm } = asked;
      if (headers['x-amz-target'] !== 'TrentService.Sign' || KeyId !== 'arn:the-key' || MessageType !== 'DIGEST')
        return json(400, { message: 'bad request' });
      if (SigningAlgorithm !== `${family}_SHA_${hash.slice(3)}`) return json(400, { message: 'bad algorithm' });
      return json(200, { Signature: signDigest(Message).toString('base64') });
    },
  },
  gcp: {
    reference: () => `gcpkms://${gcpName}`,
    env: (origin) => ({ CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS: origin, CLOUDSDK_AUTH_ACCESS_TOKEN: 'the-secret' }),
    isAuthorized: ({ headers }) => headers.authorization === 'Bearer the-secret',
    answer({ url, body }, { pem, hash, signDigest }) {
      if (url.pathname === `/v1/${gcpName}/cryptoKeyVersions` && url.searchParams.get('filter') === 'state=ENABLED')
        return json(200, { cryptoKeyVersions: [{ name: `${gcpName}/cryptoKeyVersions/7` }] });
      if (url.pathname === `/v1/${gcpName}/cryptoKeyVersions/7/publicKey`) return json(200, { pem });
      if (url.pathname !== `/v1/${gcpName}/cryptoKeyVersions/7:asymmetricSign`) return json(404, { error: {} });
      const { digest } = JSON.parse(body) as { readonly digest: Record<string, string> };
      return json(200, { signature: signDigest(digest[hash] ?? '').toString('base64') });
    },
  },
  azure: {
    reference: (host) => `azurekms://${host}/release`,
    env: (origin) => ({
      AZURE_AUTHORITY_HOST: origin,
      AZURE_TENANT_ID: 'tenant',
      AZURE_CLIENT_ID: 'client',
      AZURE_CLIENT_SECRET: 'the-secret',
    }),
    isAuthorized: ({ url, headers, body }) =>
      url.pathname === '/tenant/oauth2/v2.0/token'
        ? new URLSearchParams(body).get('client_secret') === 'the-secret'
        : headers.authorization === 'Bearer access',
    answer({ url, body }, { key, hash, signDigest }) {
      if (url.pathname === '/tenant/oauth2/v2.0/token') return json(200, { access_token: 'access' });
      const kid = 'https://v.vault.azure.net/keys/release/abc123';
      const { kty, ...jwk } = createPublicKey(key).export({ format: 'jwk' });
      if (url.pathname === '/keys/release') return json(200, { key: { ...jwk, kid, kty: `${kty}-HSM` } });
      const { alg, value = '' } = JSON.parse(body) as Record<string, string>;
      const wanted = `${key.asymmetricKeyType === 'rsa' ? 'RS' : 'ES'}${hash.slice(3)}`;
      if (url.pathname !== '/keys/release/abc123/sign' || alg !== wanted)
        return json(400, { error: { message: 'bad' } });
      return json(200, { kid, value: signDigest(value, 'base64url', 'ieee-p1363').toString('base64url') });
    },
  },
};

describe.each(Object.entries(SERVICES))('a key in %s', (_, service) => {
  test.each(NAMES)('signs with %s', async (name) => {
    await using running = await start(service, hold(name));
    const { key, signature } = await signMessage(service, running);
    expect(verify(HASHES[name], MESSAGE, key.publicKey, signature)).toBe(true);
  });

  test('is not believed when it signs something else', async () => {
    const held = hold('p256-pkcs8.pem');
    const wrong = {
      ...held,
      signDigest: (...[, , form]: Parameters<Held['signDigest']>) => signAs(held, Buffer.from('other'), form),
    };
    await using running = await start(service, wrong);
    await expect(signMessage(service, running)).rejects.toMatchObject({
      code: 'KEY_SERVICE_FAILED',
      message: expect.stringContaining('is not a signature by it over this content'),
    });
  });

  test('is refused when it is too short, or of a kind that signs no digest', async () => {
    for (const name of ['rsa1024-pkcs8.pem', 'secp256k1-pkcs8.pem', 'ed25519-pkcs8.pem']) {
      await using running = await start(service, hold(name));
      await expect(signMessage(service, running)).rejects.toMatchObject({
        code: expect.stringMatching(/^KEY_(INVALID|SERVICE_FAILED)$/),
      });
    }
  });

  test('is not given to who is not allowed, and no secret gets into the message', async () => {
    await using running = await start({ ...service, isAuthorized: () => false }, hold('p256-pkcs8.pem'));
    const error = (await signMessage(service, running).catch((cause: unknown) => cause)) as Error;
    expect(error).toMatchObject({ code: 'KEY_SERVICE_FAILED', message: expect.stringContaining('HTTP 403') });
    expect(`${error.message} ${String(error.cause)}`).not.toContain('the-secret');
  });

  test('that answers with something else is an error', async () => {
    await using running = await start(
      { ...service, answer: () => json(200, { hello: 'world' }) },
      hold('p256-pkcs8.pem'),
    );
    await expect(signMessage(service, running)).rejects.toMatchObject({ code: 'KEY_SERVICE_FAILED' });
  });
});

describe('credentials', () => {
  test.each([
    [
      'hashivault://release',
      { VAULT_ADDR: 'http://vault.example:8200', VAULT_TOKEN: 'secret' },
      /unencrypted connection/,
    ],
    ['hashivault://release', { VAULT_ADDR: 'https://vault.example' }, /no credentials for Vault/],
    ['hashivault://release', {}, /not known where Vault is/],
    ['awskms:///alias/release', { AWS_REGION: 'eu-central-1' }, /no credentials for AWS/],
    ['awskms:///alias/release', {}, /not known in which AWS region/],
    [`gcpkms://${gcpName}`, { GCE_METADATA_HOST: 'metadata.example' }, /no credentials for Google Cloud/],
    [
      'azurekms://v.vault.azure.net/k',
      { AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://m.example' },
      /no credentials for Azure/,
    ],
  ])('for %s with %o are asked for', async (reference, env, message) => {
    await expect(openKey(reference, {}, contextWith(env))).rejects.toMatchObject({
      code: 'KEY_SERVICE_FAILED',
      message: expect.stringMatching(message),
    });
  });

  test.each([
    'hashivault://a/b',
    'awskms://release',
    'awskms:///rel ease',
    'gcpkms://projects/p',
    'azurekms://v.vault.azure.net',
  ])('are not looked for when %s names no key', async (reference) => {
    await expect(openKey(reference, {}, contextWith({}))).rejects.toMatchObject({ code: 'KEY_INVALID' });
  });

  test('of a Google service account are exchanged for a token', async () => {
    const gcp = SERVICES['gcp'];
    if (gcp === undefined) throw new Error('unreachable');
    await using tokens = await answering(({ body }) => {
      const assertion = new URLSearchParams(body).get('assertion') ?? '';
      const [head = '', claims = '', signature = ''] = assertion.split('.');
      const publicKey = createPublicKey(createPrivateKey(keyFile('rsa2048-pkcs1.pem')));
      const ok = verify('sha256', Buffer.from(`${head}.${claims}`), publicKey, Buffer.from(signature, 'base64url'));
      return ok ? json(200, { access_token: 'the-secret' }) : json(401, { error: 'invalid_grant' });
    });
    await using running = await start(gcp, hold('p256-pkcs8.pem'));
    const open = async (pem: string) => {
      const path = join(folder, 'account.json');
      const account = {
        type: 'service_account',
        client_email: 'a@b',
        private_key: pem,
        token_uri: `${tokens.origin}/token`,
      };
      writeFileSync(path, JSON.stringify(account));
      const env = { CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS: running.origin, GOOGLE_APPLICATION_CREDENTIALS: path };
      return openKey(`gcpkms://${gcpName}`, {}, contextWith(env));
    };
    expect((await open(keyFile('rsa2048-pkcs1.pem'))).scheme.hash).toBe('sha256');
    await expect(open(keyFile('rsa3072-pkcs8.pem'))).rejects.toMatchObject({ code: 'KEY_SERVICE_FAILED' });
  });
});

function hold(name: string): Held {
  const key = createPrivateKey(keyFile(name));
  const pem = createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString();
  const hash = (HASHES as Readonly<Record<string, string>>)[name] ?? 'sha256';
  const held = { key, pem, hash };
  return {
    ...held,
    signDigest(digest, encoding = 'base64', form) {
      const same = Buffer.from(digest, encoding).equals(createHash(hash).update(MESSAGE).digest());
      if (!same) throw new Error('another digest than that of the message');
      return signAs(held, MESSAGE, form);
    },
  };
}

function signAs({ key, hash }: Pick<Held, 'key' | 'hash'>, message: Buffer, form?: 'ieee-p1363'): Buffer {
  return sign(hash, message, { key, ...(form === undefined ? {} : { dsaEncoding: form }) });
}

function start(service: Service, held: Held): ReturnType<typeof startServer> {
  return answering((asked) =>
    service.isAuthorized(asked) ? service.answer(asked, held) : json(403, { message: 'permission denied' }),
  );
}

function answering(answer: (asked: Asked) => Answer): ReturnType<typeof startServer> {
  return startServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://host');
    void bodyOf(request)
      .then((body) => answer({ url, headers: request.headers, body: body.toString() }))
      .catch((error: unknown) => json(500, { message: String(error) }))
      .then((given) => send(response, given));
  });
}

async function signMessage(
  service: Service,
  { host, origin }: Awaited<ReturnType<typeof startServer>>,
): Promise<{ readonly key: Awaited<ReturnType<typeof openKey>>; readonly signature: Buffer }> {
  const context = contextWith(service.env(origin));
  const key = await openKey(service.reference(host), {}, context);
  const pending = key.begin();
  pending.update(MESSAGE.subarray(0, 3));
  pending.update(MESSAGE.subarray(3));
  return { key, signature: await pending.finish(context) };
}

function contextWith(env: Record<string, string>): ReturnType<typeof testContext> {
  return testContext({ now: () => new Date(), env });
}
