import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Context, ProgressEvent } from '../../../src/base/context.ts';
import { signInWithBrowser } from '../../../src/sign/oidc/browser-flow.ts';
import { discoverIssuer } from '../../../src/sign/oidc/client.ts';
import { testContext } from '../../support/context.ts';
import { startOidcServer } from '../../support/oidc-server.ts';

/** A context whose person opens every address that is shown, and what the pages said. */
function person(visit: (address: string) => Promise<string> = open): { context: Context; pages: Promise<string>[] } {
  const pages: Promise<string>[] = [];
  const emit = (event: ProgressEvent): void => {
    const address = event.kind === 'step' ? /open (\S+) in a browser/.exec(event.message)?.[1] : undefined;
    if (address !== undefined) pages.push(visit(address));
  };
  return { context: testContext({ now: () => new Date(), emit }), pages };
}

async function open(address: string): Promise<string> {
  return (await fetch(address)).text();
}

type Behaviour = Parameters<typeof startOidcServer>[0];

async function signIn(behaviour: Behaviour, redirectUrl?: string): Promise<{ token: string; page: string }> {
  await using server = await startOidcServer(behaviour);
  const { context, pages } = person();
  const client = await discoverIssuer({ issuer: server.url, clientId: 'sigstore' }, context);
  try {
    const token = await signInWithBrowser(client, redirectUrl === undefined ? {} : { redirectUrl }, context);
    return { token, page: (await pages[0]) ?? '' };
  } finally {
    await Promise.allSettled(pages);
  }
}

describe('signing in with the browser', () => {
  test('gives the ID token of whoever signed in, and tells them so in the browser', async () => {
    const { token, page } = await signIn({});
    expect(decodeJwt(token)).toMatchObject({ aud: 'sigstore', email: 'dev@example.org' });
    expect(page).toContain('Signed in');
  });

  test('redirects to localhost or a fixed path where the issuer wants that', async () => {
    const { token } = await signIn({}, 'http://localhost:0/elsewhere');
    expect(decodeJwt(token).sub).toBe('person');
  });

  test('asks with PKCE S256, a state and a nonce, none of them twice', async () => {
    await using server = await startOidcServer();
    const seen: URL[] = [];
    const { context } = person(async (address) => {
      seen.push(new URL(address));
      return open(address);
    });
    const client = await discoverIssuer({ issuer: server.url, clientId: 'sigstore' }, context);
    await signInWithBrowser(client, {}, context);
    await signInWithBrowser(client, {}, context);
    const [first, second] = seen.map(({ searchParams }) => searchParams);
    expect(first?.get('code_challenge_method')).toBe('S256');
    expect(first?.get('scope')).toBe('openid email');
    for (const name of ['code_challenge', 'state', 'nonce', 'redirect_uri'])
      expect(first?.get(name)).not.toBe(second?.get(name));
  });

  test.for<[string, Behaviour, RegExp]>([
    ['another state', { onRedirect: (back) => back.searchParams.set('state', 'another') }, /state/],
    ['no state', { onRedirect: (back) => back.searchParams.delete('state') }, /state/],
    ['a nonce of another sign-in', { claims: { nonce: 'another' } }, /nonce/],
    ['no nonce', { claims: { nonce: undefined } }, /nonce/],
    ['a token of another issuer', { claims: { iss: 'https://evil.example' } }, /issuer/],
    ['a token for another client', { claims: { aud: 'somebody-else' } }, /audience/],
    ['a token that has expired', { claims: { exp: 1_700_000_000 } }, /exp/],
    ['a token signed with another key', { foreignKey: true }, /signature/],
    [
      'a code that was used or never given',
      { onRedirect: (back) => back.searchParams.set('code', 'used') },
      /invalid_grant/,
    ],
    ['no ID token', { onTokens: (answer) => delete answer['id_token'] }, /id_token/],
    [
      'the issuer of another answer',
      { onRedirect: (back) => back.searchParams.set('iss', 'https://evil.example') },
      /iss/,
    ],
  ])('rejects %s', async ([, behaviour, message]) => {
    await expect(signIn(behaviour)).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
      message: expect.stringMatching(message),
    });
  });

  test('says that access was denied, and not what else the issuer wants to write on the terminal', async () => {
    const onRedirect = (back: URL): void => {
      back.searchParams.delete('code');
      back.searchParams.set('error', 'access_denied');
      back.searchParams.set('error_description', 'no\u001B[2Jway eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln');
    };
    await expect(signIn({ onRedirect })).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
      message: expect.stringMatching(/access_denied \(no \[2Jway \[redacted\]\)$/),
      hint: expect.stringContaining('allow it'),
    });
  });

  test('tells the browser when it failed, without repeating what the issuer wrote', async () => {
    await using server = await startOidcServer({ claims: { nonce: 'another' } });
    const { context, pages } = person();
    const client = await discoverIssuer({ issuer: server.url, clientId: 'sigstore' }, context);
    await expect(signInWithBrowser(client, {}, context)).rejects.toThrow(/nonce/);
    expect(await pages[0]).toContain('Not signed in');
  });

  test('refuses a verifier that is not the one of the challenge', async () => {
    await using server = await startOidcServer();
    const { context } = person(async (address) =>
      open(address.replace(/code_challenge=[^&]+/, 'code_challenge=other')),
    );
    const client = await discoverIssuer({ issuer: server.url, clientId: 'sigstore' }, context);
    await expect(signInWithBrowser(client, {}, context)).rejects.toThrow(/invalid_grant/);
  });

  test('does not wait for ever', async () => {
    await using server = await startOidcServer();
    const { context } = person(() => Promise.resolve(''));
    const client = await discoverIssuer({ issuer: server.url, clientId: 'sigstore' }, context);
    await expect(signInWithBrowser(client, { timeoutMs: 50 }, context)).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
      message: 'nobody signed in within 0.05 s',
    });
  });

  test('ends when the run is interrupted', async () => {
    await using server = await startOidcServer();
    const stop = new AbortController();
    const context = testContext({ signal: stop.signal, emit: ({ kind }) => void (kind === 'step' && stop.abort()) });
    const client = await discoverIssuer({ issuer: server.url, clientId: 'sigstore' }, context);
    await expect(signInWithBrowser(client, {}, context)).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  test.for(['file:///etc/passwd', 'javascript:alert(1)', 'http://192.0.2.1/authorize', undefined])(
    'refuses to send a person to a page at %s',
    async (endpoint) => {
      await using server = await startOidcServer({ metadata: () => ({ authorization_endpoint: endpoint }) });
      const { context, pages } = person();
      const client = await discoverIssuer({ issuer: server.url, clientId: 'sigstore' }, context);
      await expect(signInWithBrowser(client, {}, context)).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
      expect(pages).toEqual([]);
    },
  );
});

describe('the redirect', () => {
  test.for(['https://127.0.0.1:0/x', 'http://192.0.2.1:0/x', 'http://127.0.0.1:0/x?y=z', 'nonsense'])(
    'is not awaited at %s',
    async (redirectUrl) => {
      await expect(signIn({}, redirectUrl)).rejects.toMatchObject({ code: 'USAGE' });
    },
  );

  test('is not awaited on a port that is taken', async () => {
    const other = createServer();
    await once(other.listen(0, '127.0.0.1'), 'listening');
    const { port } = other.address() as AddressInfo;
    await expect(signIn({}, `http://127.0.0.1:${port}/auth/callback`)).rejects.toThrow(/something else uses this port/);
    other.close();
  });

  test('is taken once, for our path and under our name only', async () => {
    await using server = await startOidcServer();
    const statuses: number[] = [];
    const { context, pages } = person(async (address) => {
      const back = new URL(new URL(address).searchParams.get('redirect_uri') ?? '');
      const status = async (url: string, init?: RequestInit): Promise<void> =>
        void statuses.push((await fetch(url, init)).status);
      await status(new URL('/favicon.ico', back).href);
      await status(back.href);
      await status(`${back.href}?code=x&state=y`, { method: 'POST' });
      await status(`${back.href.replace('127.0.0.1', 'localhost')}?code=x&state=y`);
      const page = open(address);
      const late = fetch(`${back.href}?code=x&state=y`).then(
        ({ status: found }) => found,
        () => 'gone',
      );
      expect([410, 400, 200, 'gone']).toContain(await late);
      return page;
    });
    const client = await discoverIssuer({ issuer: server.url, clientId: 'sigstore' }, context);
    await signInWithBrowser(client, {}, context).catch(() => undefined);
    await Promise.allSettled(pages);
    expect(statuses).toEqual([404, 404, 404, 404]);
  });
});

describe('the browser', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'boltseal-test-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  /** Where the opener is xdg-open. */
  const isPosix = process.platform !== 'win32' && process.platform !== 'darwin';
  test.skipIf(!isPosix)('is opened at the address that is shown, without a shell', async () => {
    await using server = await startOidcServer();
    const seen = join(directory, 'seen');
    const opener = join(directory, 'xdg-open');
    await writeFile(opener, `#!/bin/sh\nprintf '%s\\n' "$#" "$1" > '${seen}.part'\nmv '${seen}.part' '${seen}'\n`);
    await chmod(opener, 0o755);
    const base = person(async () => '');
    const env = { PATH: `${directory}:/usr/bin:/bin`, DISPLAY: ':0' };
    const shown: string[] = [];
    const emit = (event: ProgressEvent): void => void ('message' in event && shown.push(event.message));
    const context = { ...base.context, env, emit };
    const client = await discoverIssuer({ issuer: server.url, clientId: 'sigstore' }, context);
    const signingIn = signInWithBrowser(client, {}, context);
    const [count, address] = await vi.waitFor(async () => (await readFile(seen, 'utf8')).trim().split('\n'), 5000);
    expect(count).toBe('1');
    expect(shown.join('\n')).toContain(address);
    await open(address ?? '');
    expect(decodeJwt(await signingIn).sub).toBe('person');
  });

  test('is not missed where there is none', async () => {
    const shown: string[] = [];
    const { context } = person();
    const emit = (event: ProgressEvent): void => {
      if ('message' in event) shown.push(event.message);
      context.emit(event);
    };
    await using server = await startOidcServer();
    const blind = { ...context, emit, env: { PATH: directory, DISPLAY: ':0', SSH_CONNECTION: '192.0.2.1' } };
    const client = await discoverIssuer({ issuer: server.url, clientId: 'sigstore' }, blind);
    expect(decodeJwt(await signInWithBrowser(client, {}, blind)).sub).toBe('person');
    expect(shown.join('\n')).toContain('--fulcio-auth-flow device');
  });
});
