import { mkdtemp, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseDigest } from '../../../src/oci/digest.ts';
import { testContext } from '../../support/context.ts';
import { codeOf, openAt, pushImage, SOME_DIGEST } from '../../support/open-registry.ts';
import { startRegistry, type TestRegistry } from '../../support/registry-server.ts';

const account = { username: 'ada', password: 'sec:ret' };
const credential = { kind: 'basic', ...account } as const;
const tokensAsked = ({ requests }: TestRegistry): number => requests.filter(({ path }) => path === '/token').length;

describe('authorization', () => {
  test.each(['basic', 'bearer'] as const)('answers a %s challenge to the real request', async (auth) => {
    await using registry = await startRegistry({ auth, account });
    const source = openAt(registry.host, { suffix: ':1', options: { credential } });
    const image = await pushImage(source);
    expect(await source.resolve()).toBe(image.digest);
    expect(registry.requests.filter(({ path }) => path === '/v2/')).toEqual([]);
  });

  test.each(['basic', 'bearer'] as const)('%s: a wrong password is unauthorized, and stays secret', async (auth) => {
    await using registry = await startRegistry({ auth, account });
    const context = testContext();
    const wrong = { kind: 'basic', username: 'ada', password: 'wr0ngpassw0rd' } as const;
    const source = openAt(registry.host, { suffix: ':1', options: { credential: wrong }, context });
    const error = (await source.resolve().catch((caught: unknown) => caught)) as Error;
    expect(error).toMatchObject({ code: 'REGISTRY_UNAUTHORIZED', hint: expect.stringContaining('boltseal login') });
    expect(JSON.stringify([error, error.message, context.events])).not.toContain('wr0ngpassw0rd');
  });

  test('many first requests at once ask for one token', async () => {
    await using registry = await startRegistry({ auth: 'bearer' });
    const source = openAt(registry.host, { options: {} });
    await pushImage(openAt(registry.host));
    const before = tokensAsked(registry);
    await Promise.all(Array.from({ length: 20 }, () => source.listReferrers(SOME_DIGEST)));
    expect(tokensAsked(registry) - before).toBe(1);
    expect(registry.lines().filter((line) => line.includes('referrers')).length).toBe(21);
  });

  test.each(['reading', 'writing'])('%s: a token that the registry no longer takes is replaced once', async (doing) => {
    await using registry = await startRegistry({ auth: 'bearer' });
    const source = openAt(registry.host);
    const image = await pushImage(source);
    const before = tokensAsked(registry);
    registry.behaviour.generation = 1;
    const again = doing === 'reading' ? source.readManifest(image.digest) : pushImage(source);
    expect((await again).digest).toBe(image.digest);
    expect(tokensAsked(registry) - before).toBe(1);
  });

  test('a registry that takes no token ends in an error, not in a circle', async () => {
    await using registry = await startRegistry({ auth: 'bearer' });
    const source = openAt(registry.host, { suffix: ':1' });
    registry.behaviour.fault = ({ path, headers }) =>
      path === '/token'
        ? undefined
        : { status: 401, headers: { 'www-authenticate': `Bearer realm="http://${headers.host}/token"` } };
    expect(await codeOf(source.resolve())).toBe('REGISTRY_UNAUTHORIZED');
    expect(registry.requests.length).toBeLessThan(8);
  });

  test('an expired token is not sent again', async () => {
    await using registry = await startRegistry({ auth: 'bearer', tokenLifeS: 100 });
    let now = Date.parse('2026-01-01T00:00:00Z');
    const source = openAt(registry.host, { context: testContext({ now: () => new Date(now) }) });
    const image = await pushImage(source);
    await source.readManifest(image.digest);
    const before = tokensAsked(registry);
    await source.readManifest(image.digest);
    expect(tokensAsked(registry) - before).toBe(0);
    now += 95_000;
    await source.readManifest(image.digest);
    expect(tokensAsked(registry) - before).toBe(1);
    expect(registry.lines().filter((line) => line.startsWith('GET')).length).toBe(3);
  });

  test('an identity token goes to the token server by POST and never to the registry', async () => {
    await using registry = await startRegistry({ auth: 'bearer', account });
    const token = { kind: 'identity-token', token: account.password } as const;
    await pushImage(openAt(registry.host, { options: { credential: token } }));
    expect(registry.requests.find(({ path }) => path === '/token')?.method).toBe('POST');
    const sent = registry.requests.filter(({ path }) => path !== '/token').map(({ headers }) => headers.authorization);
    expect(sent.filter((header) => header?.includes(account.password))).toEqual([]);
  });

  test.each([404, 405, 401])(
    'an identity token goes as a password where the token server answers its POST with %i',
    async (status) => {
      await using registry = await startRegistry({ auth: 'bearer', account });
      registry.behaviour.fault = ({ path, method }) =>
        path === '/token' && method === 'POST' ? { status } : undefined;
      const credential = { kind: 'identity-token', username: account.username, token: account.password } as const;
      expect((await pushImage(openAt(registry.host, { options: { credential } }))).digest).toBeDefined();
      const asked = registry.requests.filter(({ path }) => path === '/token').map(({ method }) => method);
      expect(asked).toEqual(['POST', 'GET']);
    },
  );

  test.each([
    ['is not accepted', 401, 'wrong', 2],
    ['meets a server that refuses', 403, account.password, 1],
  ])('an identity token that %s (%i) is not tried again', async (_, status, token, requests) => {
    await using registry = await startRegistry({ auth: 'bearer', account });
    registry.behaviour.fault = ({ path, method }) => (path === '/token' && method === 'POST' ? { status } : undefined);
    const credential = { kind: 'identity-token', username: account.username, token } as const;
    expect(await codeOf(openAt(registry.host, { suffix: ':1', options: { credential } }).resolve())).toBe(
      'REGISTRY_UNAUTHORIZED',
    );
    expect(tokensAsked(registry)).toBe(requests);
  });

  test.each([
    ['in one header', (challenge: string) => `Negotiate, ${challenge}`],
    ['with Basic after it', (challenge: string) => `${challenge}, Basic realm="x"`],
    ['after one that nobody knows', (challenge: string) => `New a="b, c", d=e, ${challenge}`],
  ])('of several challenges Bearer is answered: %s', async (_, around) => {
    await using registry = await startRegistry({ auth: 'bearer', account });
    registry.behaviour.fault = ({ path, headers }) => {
      if (path === '/token' || headers.authorization !== undefined) return undefined;
      const challenge = `Bearer realm="http://${headers.host}/token",service="s"`;
      return { status: 401, headers: { 'www-authenticate': around(challenge) } };
    };
    const { digest } = await pushImage(openAt(registry.host, { options: { credential } }));
    expect(digest).toBeDefined();
    expect(
      registry.requests.filter(({ headers }) => headers.authorization?.startsWith('Basic')).map(({ path }) => path),
    ).toEqual(['/token']);
  });

  test('Basic is answered where Bearer says nowhere to get a token', async () => {
    await using registry = await startRegistry({ auth: 'basic', account });
    registry.behaviour.fault = ({ headers }) =>
      headers.authorization === undefined
        ? { status: 401, headers: { 'www-authenticate': 'Bearer service="x", Basic realm="y"' } }
        : undefined;
    expect((await pushImage(openAt(registry.host, { options: { credential } }))).digest).toBeDefined();
  });

  test.each([
    ['300 s is used until 10 s before its end', 300, 289, 291],
    ['4 s is used for half its life', 4, 1, 3],
  ])('a token of %s', async (_, lifeS, usedAfterS, replacedAfterS) => {
    await using registry = await startRegistry({ auth: 'bearer' });
    registry.behaviour.tokenLifeS = lifeS;
    let now = Date.parse('2026-01-01T00:00:00Z');
    const source = openAt(registry.host, { context: testContext({ now: () => new Date(now) }) });
    const image = await pushImage(source);
    await source.readManifest(image.digest);
    const before = tokensAsked(registry);
    now += usedAfterS * 1000;
    await source.readManifest(image.digest);
    expect(tokensAsked(registry) - before).toBe(0);
    now += (replacedAfterS - usedAfterS) * 1000;
    await source.readManifest(image.digest);
    expect(tokensAsked(registry) - before).toBe(1);
  });

  test('a 403 is "denied", not "not there"', async () => {
    await using registry = await startRegistry({ fault: () => ({ status: 403 }) });
    expect(await codeOf(openAt(registry.host, { suffix: ':1' }).resolve())).toBe('REGISTRY_DENIED');
  });
});

describe('a token realm that is not safe', () => {
  test.each([
    ['plain HTTP elsewhere', 'http://auth.example.org/token'],
    ['cloud metadata', 'http://169.254.169.254/latest'],
    ['a private network', 'https://10.0.0.1/token'],
    ['a name with a password', 'https://user:pass@auth.example.org/token'],
    ['no address', 'nonsense'],
  ])('is refused: %s', async (_, realm) => {
    await using registry = await startRegistry({ auth: 'bearer', realm });
    const source = openAt(registry.host, { suffix: ':1', options: { credential } });
    expect(await codeOf(source.resolve())).toBe('REGISTRY_UNSAFE');
  });

  test('cannot pass the password on by a redirect', async () => {
    await using thief = await startRegistry();
    await using registry = await startRegistry({ auth: 'bearer', account });
    registry.behaviour.tokenFault = { status: 307, headers: { location: `${thief.origin}/token` } };
    expect(await codeOf(openAt(registry.host, { suffix: ':1', options: { credential } }).resolve())).toBeDefined();
    expect(thief.requests).toEqual([]);
  });
});

describe('stored credentials', () => {
  const auth = Buffer.from('ada:sec:ret').toString('base64');
  const wrong = Buffer.from('eve:wrong').toString('base64');
  const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'boltseal-'));

  async function resolves(registry: TestRegistry, env: Record<string, string>): Promise<string | undefined> {
    await pushImage(openAt(registry.host, { options: { credential } }));
    return codeOf(openAt(registry.host, { suffix: ':1', context: testContext({ env }) }).resolve());
  }

  test.each([
    ['the host', (host: string) => ({ [host]: { auth } })],
    ['the host as an address', (host: string) => ({ [`https://${host}/v1/`]: { auth } })],
    [
      'the longest prefix before a shorter one',
      (host: string) => ({ [host]: { auth: wrong }, [`${host}/acme`]: { auth } }),
    ],
    ['the whole repository', (host: string) => ({ [`${host}/acme`]: { auth: wrong }, [`${host}/acme/app`]: { auth } })],
    ['user name and password in the clear', (host: string) => ({ [host]: account })],
  ])('are found by %s', async (_, auths) => {
    await using registry = await startRegistry({ auth: 'basic', account });
    const env = { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: auths(registry.host) }) };
    expect(await resolves(registry, env)).toBeUndefined();
  });

  test.each([
    ['a part of the host', (host: string) => ({ [host.slice(0, -1)]: { auth }, [`x${host}`]: { auth } })],
    ['a prefix that ends within a name', (host: string) => ({ [`${host}/acme/ap`]: { auth } })],
    ['another repository', (host: string) => ({ [`${host}/acme/other`]: { auth } })],
  ])('are not found by %s', async (_, auths) => {
    await using registry = await startRegistry({ auth: 'basic', account });
    const env = { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: auths(registry.host) }) };
    expect(await resolves(registry, env)).toBe('REGISTRY_UNAUTHORIZED');
  });

  test.each([
    ['DOCKER_CONFIG', '', 'config.json', (root: string) => ({ DOCKER_CONFIG: root })],
    ['the home folder', '.docker', 'config.json', (root: string) => ({ HOME: root })],
    ['podman in XDG_RUNTIME_DIR', 'containers', 'auth.json', (root: string) => ({ XDG_RUNTIME_DIR: root })],
    ['podman in the home folder', '.config/containers', 'auth.json', (root: string) => ({ HOME: root })],
    ['REGISTRY_AUTH_FILE', '', 'a.json', (root: string) => ({ REGISTRY_AUTH_FILE: join(root, 'a.json') })],
  ])('are read from the file of %s', async (_, below, file, env) => {
    await using registry = await startRegistry({ auth: 'basic', account });
    const root = await folder();
    await mkdir(join(root, below), { recursive: true });
    await writeFile(join(root, below, file), JSON.stringify({ auths: { [registry.host]: { auth } } }));
    expect(await resolves(registry, env(root))).toBeUndefined();
  });

  test('come from a helper before the file, which is asked without a shell', async () => {
    await using registry = await startRegistry({ auth: 'basic', account });
    const root = await folder();
    const script = `#!/bin/sh\nread key\n[ "$1 $key" = "get ${registry.host}" ] || { echo "credentials not found in native keychain"; exit 1; }\necho '{"Username":"ada","Secret":"sec:ret"}'\n`;
    await writeFile(join(root, 'docker-credential-test'), script, { mode: 0o755 });
    const config = { credHelpers: { [registry.host]: 'test' }, auths: { [registry.host]: { auth: wrong } } };
    await writeFile(join(root, 'config.json'), JSON.stringify(config));
    const env = { DOCKER_CONFIG: root, PATH: `${root}:/usr/bin:/bin` };
    expect(await resolves(registry, env)).toBeUndefined();
    await writeFile(join(root, 'config.json'), JSON.stringify({ credsStore: 'test' }));
    expect(await resolves(registry, env)).toBeUndefined();
  });

  test.each([
    ['is not installed', { credsStore: 'missing' }],
    ['has a name with a path', { credsStore: '../../bin/sh' }],
    ['file is not JSON', 'sec:ret'],
    ['entry is not base64 of a pair', { auths: { HOST: { auth: '%%%' } } }],
  ])('that cannot be read are an error: the helper or file %s', async (_, config) => {
    await using registry = await startRegistry({ auth: 'basic', account });
    const text = typeof config === 'string' ? config : JSON.stringify(config).replace('HOST', registry.host);
    const env = { DOCKER_AUTH_CONFIG: text, PATH: '/usr/bin:/bin' };
    const error = openAt(registry.host, { suffix: ':1', context: testContext({ env }) }).resolve();
    expect(await codeOf(error)).toBe('CREDENTIALS_INVALID');
    expect(String(await error.catch((caught: unknown) => caught))).not.toContain('sec:ret');
  });
});

test('a digest needs no request to be resolved', async () => {
  await using registry = await startRegistry();
  const digest = parseDigest(SOME_DIGEST);
  expect(await openAt(registry.host, { suffix: `@${digest}` }).resolve()).toBe(digest);
  expect(registry.requests).toEqual([]);
});
