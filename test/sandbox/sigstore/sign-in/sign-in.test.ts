import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Context } from '../../../../src/base/context.ts';
import { SANDBOX_IDENTITY, startIssuer, type Issuer } from '../../../../src/sandbox/sigstore/issuer.ts';
import { SANDBOX_CLIENT_SECRET } from '../../../../src/sandbox/sigstore/sign-in/oauth.ts';
import { obtainIdentityToken } from '../../../../src/sign/obtain-identity-token.ts';
import { testContext } from '../../../support/context.ts';

const clock = { aheadMs: 0 };
const context = testContext({ now: () => new Date(Date.now() + clock.aheadMs) });
let issuer: Issuer;
let directory: string;
beforeAll(async () => {
  issuer = await startIssuer({ port: 0 }, context);
  directory = await mkdtemp(join(tmpdir(), 'boltseal-test-'));
});
afterAll(async () => {
  await issuer[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

/** Opens the last address that is shown: the one that needs no typing. */
function visitor(): Context {
  const emit: Context['emit'] = (event) => {
    const addresses = event.kind === 'step' ? [...event.message.matchAll(/http:\/\/[^\s)]+/g)].map(([url]) => url) : [];
    const last = event.kind === 'step' && event.message.startsWith('to sign in') ? addresses.at(-1) : undefined;
    if (last !== undefined) void fetch(last).then((response) => response.text());
  };
  return testContext({ now: () => new Date(), emit });
}

describe('signing in to the sandbox', () => {
  test.for(['normal', 'device', 'client_credentials'] as const)('works by %s', async (flow) => {
    const clientSecretFile = join(directory, 'secret');
    await writeFile(clientSecretFile, SANDBOX_CLIENT_SECRET);
    const secret = flow === 'client_credentials' ? { clientSecretFile } : {};
    const token = await obtainIdentityToken({ flow, issuer: issuer.url, ...secret }, visitor());
    expect(token).toMatchObject({ identity: SANDBOX_IDENTITY, issuer: issuer.url, audience: ['sigstore'] });
    expect(await issuer.verify(token.raw, 'sigstore')).toMatchObject({ sub: SANDBOX_IDENTITY });
  });

  test('does not work as a machine with another secret', async () => {
    const clientSecretFile = join(directory, 'wrong');
    await writeFile(clientSecretFile, 'guess');
    const found = obtainIdentityToken({ flow: 'client_credentials', issuer: issuer.url, clientSecretFile }, visitor());
    await expect(found).rejects.toThrow(/invalid_client/);
  });
});

describe('the authorization code', () => {
  test('is good once', async () => {
    const form = await signIn();
    expect(await post('/token', form)).toMatchObject({ token_type: 'Bearer', id_token: expect.stringMatching(/^eyJ/) });
    expect(await post('/token', form)).toMatchObject({ error: 'invalid_grant' });
  });

  test.for([
    ['another verifier', { code_verifier: 'other' }, 'invalid_grant'],
    ['another redirect', { redirect_uri: 'http://127.0.0.1:2/' }, 'invalid_grant'],
    ['another client', { client_id: 'other' }, 'invalid_client'],
    ['another grant', { grant_type: 'password' }, 'unsupported_grant_type'],
  ] as const)('is not good with %s', async ([, change, error]) => {
    expect(await post('/token', { ...(await signIn()), ...change })).toMatchObject({ error });
  });

  test('is not good after a minute', async () => {
    const form = await signIn();
    clock.aheadMs = 61_000;
    expect(await post('/token', form)).toMatchObject({ error: 'invalid_grant' });
    clock.aheadMs = 0;
  });

  test.for([
    ['without PKCE', { code_challenge: '' }, 'invalid_request'],
    ['with a plain challenge', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['without openid', { scope: 'email' }, 'invalid_scope'],
    ['of another type', { response_type: 'token' }, 'unsupported_response_type'],
  ] as const)('is not given %s', async ([, change, error]) => {
    const back = await authorize(change);
    expect(back?.searchParams.get('error')).toBe(error);
    expect(back?.searchParams.get('state')).toBe('s');
    expect(back?.searchParams.has('code')).toBe(false);
  });

  test.for(['https://evil.example/', 'http://192.0.2.1/', 'javascript:alert(1)', ''])(
    'is not sent to "%s"',
    async (uri) => {
      expect(await authorize({ redirect_uri: uri })).toBeUndefined();
    },
  );
});

describe('the device code', () => {
  test('is good once, after the person typed the code in their own way', async () => {
    const { device_code: code, user_code: typed } = await post('/device/code', { client_id: 'sigstore' });
    const form = { ...DEVICE, device_code: String(code) };
    expect(await post('/token', form)).toMatchObject({ error: 'authorization_pending' });
    expect(
      (await fetch(`${issuer.url}/device?user_code=${String(typed).toLowerCase().replace('-', ' ')}`)).status,
    ).toBe(200);
    clock.aheadMs = 2_000;
    expect(await post('/token', form)).toMatchObject({ token_type: 'Bearer' });
    clock.aheadMs = 4_000;
    expect(await post('/token', form)).toMatchObject({ error: 'invalid_grant' });
    clock.aheadMs = 0;
  });

  test('is slowed down when asked for too often, and expires', async () => {
    const { device_code: code } = await post('/device/code', { client_id: 'sigstore' });
    const form = { ...DEVICE, device_code: String(code) };
    await post('/token', form);
    expect(await post('/token', form)).toMatchObject({ error: 'slow_down' });
    clock.aheadMs = 301_000;
    expect(await post('/token', form)).toMatchObject({ error: 'expired_token' });
    clock.aheadMs = 0;
  });

  test('has a page to type the code on, which knows no other', async () => {
    expect(await (await fetch(`${issuer.url}/device`)).text()).toContain('<form>');
    expect((await fetch(`${issuer.url}/device?user_code=XXXX`)).status).toBe(404);
  });
});

const DEVICE = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', client_id: 'sigstore' };
const REDIRECT = 'http://127.0.0.1:1/';
const VERIFIER = 'a-verifier-of-this-test-that-is-long-enough';

/** The form to redeem a new code with. */
async function signIn(): Promise<Record<string, string>> {
  const code = (await authorize({}))?.searchParams.get('code') ?? '';
  const grant = { grant_type: 'authorization_code', client_id: 'sigstore', redirect_uri: REDIRECT };
  return { ...grant, code, code_verifier: VERIFIER };
}

async function authorize(change: Readonly<Record<string, string>>): Promise<URL | undefined> {
  const challenge = createHash('sha256').update(VERIFIER).digest('base64url');
  const good = {
    client_id: 'sigstore',
    redirect_uri: REDIRECT,
    response_type: 'code',
    scope: 'openid email',
    state: 's',
  };
  const query = new URLSearchParams({ ...good, code_challenge: challenge, code_challenge_method: 'S256', ...change });
  const response = await fetch(`${issuer.url}/authorize?${query}`, { redirect: 'manual' });
  return URL.parse(response.headers.get('location') ?? '') ?? undefined;
}

async function post(path: string, form: Readonly<Record<string, string>>): Promise<Record<string, unknown>> {
  const response = await fetch(`${issuer.url}${path}`, { method: 'POST', body: new URLSearchParams(form) });
  return (await response.json()) as Record<string, unknown>;
}
