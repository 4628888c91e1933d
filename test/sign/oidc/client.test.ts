import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { discoverIssuer } from '../../../src/sign/oidc/client.ts';
import { signInAsClient } from '../../../src/sign/oidc/client-credentials.ts';
import { testContext } from '../../support/context.ts';
import { startOidcServer, type OidcServer } from '../../support/oidc-server.ts';

type Behaviour = Parameters<typeof startOidcServer>[0];

const CONFIGURATION = '/.well-known/openid-configuration';
const SECRET = 'hush-hush-0123456789';
const context = testContext({ now: () => new Date() });

async function signIn(behaviour: Behaviour, clientSecret = SECRET): Promise<{ token: string; server: OidcServer }> {
  await using server = await startOidcServer({ clientSecret: SECRET, ...behaviour });
  const client = await discoverIssuer({ issuer: server.url, clientId: 'sigstore', clientSecret }, context);
  return { token: await signInAsClient(client, 'sigstore', context), server };
}

describe('signing in as a client', () => {
  test('gives the ID token where the issuer gives one', async () => {
    const { token, server } = await signIn({});
    expect(decodeJwt(token).sub).toBe('person');
    const { form } = server.requests.find(({ path }) => path === '/token') ?? {};
    expect(form?.get('grant_type')).toBe('client_credentials');
    expect(form?.get('client_secret')).toBeNull();
  });

  test('puts the secret into the form where the issuer wants it there', async () => {
    const { server } = await signIn({
      metadata: () => ({ token_endpoint_auth_methods_supported: ['client_secret_post'] }),
    });
    expect(server.requests.find(({ path }) => path === '/token')?.form.get('client_secret')).toBe(SECRET);
  });

  test('gives the access token where that is a JSON Web Token, and there is no ID token', async () => {
    const accessToken = 'eyJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJzaWdzdG9yZSJ9.c2ln';
    const { token } = await signIn({
      onTokens: (answer) => {
        delete answer['id_token'];
        answer['access_token'] = accessToken;
      },
    });
    expect(token).toBe(accessToken);
  });

  test('rejects an access token that is none', async () => {
    await expect(signIn({ onTokens: (answer) => delete answer['id_token'] })).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
      message: expect.stringContaining('neither an ID token nor a JSON Web Token'),
    });
  });

  test('rejects a wrong secret, and does not repeat it', async () => {
    const error: unknown = await signIn({}, 'wrong-secret-42').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'TOKEN_INVALID', hint: expect.stringContaining('--oidc-client-secret-file') });
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('wrong-secret-42');
  });

  test('needs a secret', async () => {
    await using server = await startOidcServer();
    const client = await discoverIssuer({ issuer: server.url, clientId: 'sigstore' }, context);
    await expect(signInAsClient(client, 'sigstore', context)).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('an issuer', () => {
  test.for(['http://192.0.2.1/', 'ftp://issuer.example', 'https://user:word@issuer.example', 'nonsense'])(
    'is not asked at %s',
    async (issuer) => {
      await expect(discoverIssuer({ issuer, clientId: 'sigstore' }, context)).rejects.toMatchObject({ code: 'USAGE' });
    },
  );

  test.for<[string, Behaviour, RegExp]>([
    ['calls itself something else', { metadata: () => ({ issuer: 'https://evil.example' }) }, /issuer/],
    ['answers 403', { instead: { [CONFIGURATION]: (response) => void response.writeHead(403).end() } }, /status/],
    ['answers with HTML', { instead: { [CONFIGURATION]: (response) => void response.end('<html>') } }, /content-type/],
    [
      'redirects',
      { instead: { [CONFIGURATION]: (response) => void response.writeHead(302, { location: '/keys' }).end() } },
      /status/,
    ],
    [
      'does not stop',
      {
        instead: {
          [CONFIGURATION]: (response) =>
            void response.writeHead(200, { 'content-type': 'application/json' }).end(`"${'a'.repeat(2 ** 20)}"`),
        },
      },
      /more than 1048576 bytes/,
    ],
    ['does not answer', { instead: { [CONFIGURATION]: () => undefined } }, /timed out/],
  ])('is refused when it %s', async ([, behaviour, message]) => {
    await using server = await startOidcServer(behaviour);
    const options = { issuer: server.url, clientId: 'sigstore', timeoutMs: 300 };
    await expect(discoverIssuer(options, context)).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
      message: expect.stringMatching(message),
    });
  });

  test('is not sent a secret over plain http to another machine', async () => {
    await expect(signIn({ metadata: () => ({ token_endpoint: 'http://192.0.2.1/token' }) })).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
      message: expect.stringContaining('not https'),
    });
  });

  test('that cannot be reached is named', async () => {
    const server = await startOidcServer();
    await server[Symbol.asyncDispose]();
    await expect(discoverIssuer({ issuer: server.url, clientId: 'sigstore' }, context)).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
      message: expect.stringContaining(server.url),
    });
  });
});
