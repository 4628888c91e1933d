import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { discoverIssuer } from '../../../src/sign/oidc/client.ts';
import { signInWithDevice } from '../../../src/sign/oidc/device-flow.ts';
import { testContext, type TestContext } from '../../support/context.ts';
import { startOidcServer, type OidcServer } from '../../support/oidc-server.ts';

type Behaviour = Parameters<typeof startOidcServer>[0];

interface SignedIn {
  readonly token: string;
  readonly context: TestContext;
  readonly requests: OidcServer['requests'];
}

async function signIn(behaviour: Behaviour, context = testContext({ now: () => new Date() })): Promise<SignedIn> {
  await using server = await startOidcServer(behaviour);
  const client = await discoverIssuer({ issuer: server.url, clientId: 'sigstore' }, context);
  return { token: await signInWithDevice(client, context), context, requests: server.requests };
}

describe('signing in with a device', { concurrent: true }, () => {
  test('shows the page and the code, and gives the ID token', async () => {
    const { token, context } = await signIn({});
    expect(decodeJwt(token)['email']).toBe('dev@example.org');
    const step = context.events.find(({ kind }) => kind === 'step');
    expect(step).toMatchObject({
      message: expect.stringMatching(/open http:\S+\/device .* enter the code WDJB-MJHT/),
    });
  });

  test('asks again while the person is not done', async () => {
    const { token, requests } = await signIn({ deviceErrors: ['authorization_pending', 'authorization_pending'] });
    expect(decodeJwt(token).sub).toBe('person');
    const polls = requests.filter(({ path }) => path === '/token');
    expect(polls).toHaveLength(3);
    expect((polls[1]?.at ?? 0) - (polls[0]?.at ?? 0)).toBeGreaterThan(900);
  });

  test('asks less often when told to slow down', { timeout: 20_000 }, async () => {
    const { requests } = await signIn({ deviceErrors: ['slow_down'] });
    const [first, second] = requests.filter(({ path }) => path === '/token');
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(5_900);
  });

  test('does not ask in a loop when the issuer wants no pause', async () => {
    const { requests } = await signIn({ device: { interval: 0.001 }, deviceErrors: ['authorization_pending'] });
    const [first, second] = requests.filter(({ path }) => path === '/token');
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(900);
  });

  test.for<[string, Behaviour, RegExp]>([
    ['access denied', { deviceErrors: ['access_denied'] }, /access_denied/],
    ['a code the issuer let expire', { deviceErrors: ['expired_token'] }, /expired_token/],
    ['a token for another client', { claims: { aud: 'somebody-else' } }, /audience/],
    ['a token signed with another key', { foreignKey: true }, /signature/],
    ['no ID token', { onTokens: (answer) => delete answer['id_token'] }, /without an ID token/],
    ['a page that is not https', { device: { verification_uri: 'http://192.0.2.1/' } }, /not https/],
    ['an issuer without this flow', { metadata: () => ({ device_authorization_endpoint: undefined }) }, /not offer/],
  ])('rejects %s', async ([, behaviour, message]) => {
    await expect(signIn(behaviour)).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
      message: expect.stringMatching(message),
    });
  });

  test('stops when the code has expired', async () => {
    const deviceErrors = Array.from({ length: 20 }, () => 'authorization_pending');
    await expect(signIn({ device: { expires_in: 2 }, deviceErrors })).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
      message: expect.stringContaining('expired before it was entered'),
    });
  });

  test('shows nothing but text of what the issuer calls the code', async () => {
    const { context } = await signIn({ device: { user_code: 'A\u001B[2J\nB' } });
    const step = context.events.find(({ kind }) => kind === 'step');
    expect(step).toMatchObject({ message: expect.stringContaining('enter the code A [2J B (or') });
  });

  test('ends at once when the run is interrupted', async () => {
    const stop = new AbortController();
    const context = testContext({ signal: stop.signal, emit: ({ kind }) => void (kind === 'step' && stop.abort()) });
    await expect(signIn({ device: { interval: 60 } }, context)).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});
