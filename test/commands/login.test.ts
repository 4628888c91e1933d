import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  lstatSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { boltseal, type Ran } from '../support/cli.ts';
import { startServer } from '../support/http-server.ts';
import { startRegistry, type TestRegistry } from '../support/registry-server.ts';
import { temporaryFolder } from '../support/tools.ts';

const account = { username: 'ada', password: 'sec:ret' };
const auth = Buffer.from('ada:sec:ret').toString('base64');
const old = Buffer.from('ada:old').toString('base64');

interface Home {
  readonly folder: string;
  readonly file: string;
  readonly env: Record<string, string>;
}

/** A home folder with Docker's file in it, and a helper program that keeps secrets in a file beside it. */
function home(config?: unknown): Home {
  const folder = temporaryFolder();
  const file = join(folder, '.docker', 'config.json');
  mkdirSync(join(folder, '.docker'));
  if (config !== undefined) writeFileSync(file, typeof config === 'string' ? config : JSON.stringify(config));
  writeFileSync(join(folder, 'docker-credential-vault'), HELPER);
  chmodSync(join(folder, 'docker-credential-vault'), 0o755);
  return { folder, file, env: { HOME: folder, PATH: `${folder}:/usr/bin:/bin`, VAULT: join(folder, 'vault') } };
}

const HELPER = `#!/bin/sh
input=$(cat)
case $1 in
  store) [ -e "$VAULT.locked" ] && { echo "the vault is locked, not storing $input" >&2; exit 1; }; printf %s "$input" >"$VAULT" ;;
  erase) grep -qF "\\"$input\\"" "$VAULT" && rm "$VAULT" ;;
  get) grep -qF "\\"$input\\"" "$VAULT" 2>/dev/null || { echo "credentials not found in native keychain"; exit 1; }
       sed 's/"ServerURL":"[^"]*",//' "$VAULT" ;;
esac
`;

function logIn(host: string, { env }: Home, password = account.password, more: readonly string[] = []): Promise<Ran> {
  return boltseal(['login', host, '-u', 'ada', '--password-stdin', ...more], { env, stdin: `${password}\n` });
}

const stored = ({ file }: Home): Record<string, unknown> =>
  JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
const start = (kind: 'basic' | 'bearer' = 'basic'): Promise<TestRegistry> => startRegistry({ auth: kind, account });

describe('login', () => {
  test.each(['basic', 'bearer'] as const)('%s: keeps a password that the registry takes', async (kind) => {
    await using registry = await start(kind);
    const there = home();
    const { exitCode, stdout, stderr } = await logIn(registry.host, there);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: `Logged in to ${registry.host} as ada; the password is kept in ${there.file}\n`,
    });
    expect(stderr).toContain('unencrypted');
    expect(stored(there)).toEqual({ auths: { [registry.host]: { auth } } });
    expect(statSync(there.file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(there.folder, '.docker'))).toEqual(['config.json']);
  });

  test.each(['basic', 'bearer'] as const)('%s: keeps nothing that the registry rejects', async (kind) => {
    await using registry = await start(kind);
    const there = home();
    const { exitCode, stdout, stderr } = await logIn(registry.host, there, 'wr0ng');
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
    expect(stderr).toContain('REGISTRY_UNAUTHORIZED');
    expect(stderr).not.toContain('wr0ng');
    expect(existsSync(there.file)).toBe(false);
  });

  test.each([
    ['is not there', () => 'localhost:1', 'REGISTRY_UNREACHABLE'],
    ['is no registry', (host: string) => host, 'NOT_FOUND'],
  ])('keeps nothing when the registry %s', async (_, hostOf, code) => {
    await using server = await startServer((_request, response) => response.writeHead(404).end());
    const there = home();
    const { exitCode, stderr } = await logIn(hostOf(server.host), there);
    expect(exitCode).toBe(3);
    expect(stderr).toContain(code);
    expect(existsSync(there.file)).toBe(false);
  });

  test('a password that no registry asks for is kept, and said to be unchecked', async () => {
    await using registry = await startRegistry();
    const there = home();
    const { exitCode, stderr } = await logIn(registry.host, there);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('could not be checked');
    expect((await logIn(registry.host, there, account.password, ['--format', 'json'])).stdout).toContain(
      '"checked": false',
    );
  });

  test('is used by the next command', async () => {
    await using registry = await start('bearer');
    const there = home();
    const discover = (): Promise<Ran> => boltseal(['discover', `${registry.host}/acme/app:1`], { env: there.env });
    expect((await discover()).stderr).toContain('REGISTRY_UNAUTHORIZED');
    await logIn(registry.host, there);
    expect((await discover()).stderr).toContain('NOT_FOUND');
  });

  test('leaves everything else in the file as it was', async () => {
    await using registry = await start();
    const other =
      '"https://other.example.org/v1/": {"auth": "eDp5", "email": "x@y", "new": [1.0, 12345678901234567890]}';
    const there = home(
      `{\n    "auths": {${other}, "https://${registry.host}/v2/": {"auth": "${old}", "email": "a@b"}},\n    "HttpHeaders": {"X": "\\u0041"},\n    "future": {"big": 1e400}\n}`,
    );
    chmodSync(there.file, 0o644);
    await logIn(registry.host, there);
    const text = readFileSync(there.file, 'utf8');
    expect(text).toContain('12345678901234567890');
    expect(text).toContain('1e400');
    expect(text).toContain('\n    "HttpHeaders": {\n');
    expect(text).not.toContain(old);
    expect(stored(there)['HttpHeaders']).toEqual({ X: 'A' });
    expect(Object.keys(stored(there))).toEqual(['auths', 'HttpHeaders', 'future']);
    expect(stored(there)['auths']).toMatchObject({
      'https://other.example.org/v1/': { auth: 'eDp5', email: 'x@y' },
      [registry.host]: { auth, email: 'a@b' },
    });
    expect(statSync(there.file).mode & 0o777).toBe(0o600);
  });

  test.each(['{"auths": {', '[]', '{"auths": {"a": 1}}', '{"auths": {}, "auths": {}}'])(
    'does not touch a file that it does not understand: %s',
    async (text) => {
      await using registry = await start();
      const there = home(text);
      const { exitCode, stderr } = await logIn(registry.host, there);
      expect(exitCode).toBe(3);
      expect(stderr).toContain('CREDENTIALS_INVALID');
      expect(readFileSync(there.file, 'utf8')).toBe(text);
    },
  );

  test('writes through a symlink', async () => {
    await using registry = await start();
    const there = home();
    const real = join(there.folder, 'dotfiles.json');
    writeFileSync(real, '{}');
    symlinkSync(real, there.file);
    await logIn(registry.host, there);
    expect(lstatSync(there.file).isSymbolicLink()).toBe(true);
    expect(readFileSync(real, 'utf8')).toContain(auth);
  });

  test('logins at the same time do not lose each other', async () => {
    const there = home();
    const registries = await Promise.all(Array.from({ length: 4 }, () => start()));
    await Promise.all(registries.map(({ host }) => logIn(host, there)));
    expect(Object.keys(stored(there)['auths'] as object).toSorted()).toEqual(
      registries.map(({ host }) => host).toSorted(),
    );
    await Promise.all(registries.map((registry) => registry[Symbol.asyncDispose]()));
  });

  test.each([
    ['DOCKER_CONFIG', (folder: string) => ({ DOCKER_CONFIG: folder }), 'config.json', []],
    ['REGISTRY_AUTH_FILE', (folder: string) => ({ REGISTRY_AUTH_FILE: join(folder, 'a.json') }), 'a.json', []],
    ['--registry-config', () => ({}), 'b.json', ['--registry-config']],
  ])('goes to the file of %s', async (_, env, name, flag) => {
    await using registry = await start();
    const there = home();
    const file = join(there.folder, name);
    const flags = flag.flatMap((word) => [word, file]);
    expect(
      (await logIn(registry.host, { ...there, env: { ...there.env, ...env(there.folder) } }, account.password, flags))
        .exitCode,
    ).toBe(0);
    expect(readFileSync(file, 'utf8')).toContain(auth);
    expect(existsSync(there.file)).toBe(false);
    const read = ['discover', `${registry.host}/acme/app:1`, ...flags];
    expect((await boltseal(read, { env: { ...there.env, ...env(there.folder) } })).stderr).toContain('NOT_FOUND');
    expect((await boltseal(read.slice(0, 2), { env: there.env })).stderr).toContain('REGISTRY_UNAUTHORIZED');
  });
});

describe('login with a helper', () => {
  test.each([
    ['the store', () => ({ credsStore: 'vault' })],
    ['the helper for the host', (host: string) => ({ credsStore: 'missing', credHelpers: { [host]: 'vault' } })],
  ])('keeps the password with %s, and takes it out of the file', async (_, config) => {
    await using registry = await start();
    const there = home({ ...config(registry.host), auths: { [registry.host]: { auth: old, email: 'a@b' } } });
    const { exitCode, stdout, stderr } = await logIn(registry.host, there);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('by the helper vault');
    expect(stderr).not.toContain('unencrypted');
    expect(JSON.parse(readFileSync(join(there.folder, 'vault'), 'utf8'))).toEqual({
      ServerURL: registry.host,
      Username: 'ada',
      Secret: 'sec:ret',
    });
    expect(stored(there)['auths']).toEqual({ [registry.host]: { email: 'a@b' } });
    expect((await boltseal(['discover', `${registry.host}/acme/app:1`], { env: there.env })).stderr).toContain(
      'NOT_FOUND',
    );
  });

  test('an empty helper for the host means the file', async () => {
    await using registry = await start();
    const there = home({ credsStore: 'vault', credHelpers: { [registry.host]: '' } });
    expect((await logIn(registry.host, there)).exitCode).toBe(0);
    expect(stored(there)['auths']).toEqual({ [registry.host]: { auth } });
  });

  test.each([
    ['is locked', 'vault', true],
    ['is not installed', 'missing', false],
  ])('that %s is an error, and the file does not get the password instead', async (_, credsStore, locked) => {
    await using registry = await start();
    const there = home({ credsStore });
    if (locked) writeFileSync(join(there.folder, 'vault.locked'), '');
    const { exitCode, stderr } = await logIn(registry.host, there);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('CREDENTIALS_INVALID');
    expect(stderr).not.toContain('sec:ret');
    expect(stored(there)).toEqual({ credsStore });
  });
});

describe('login asks', () => {
  test('for what the flags leave out, the password hidden', async () => {
    await using registry = await start();
    const there = home();
    const asked: string[] = [];
    const ask = (question: string, { hidden }: { readonly hidden: boolean }): Promise<string> => {
      asked.push(`${question}${hidden}`);
      return Promise.resolve(hidden ? account.password : account.username);
    };
    expect((await boltseal(['login', registry.host], { env: there.env, ask })).exitCode).toBe(0);
    expect(asked).toEqual(['Username: false', 'Password: true']);
    expect(stored(there)).toEqual({ auths: { [registry.host]: { auth } } });
  });

  test.each([
    ['nobody is there to answer', ['login', 'localhost:1']],
    ['the password comes without a name', ['login', 'localhost:1', '--password-stdin']],
    ['the host is a repository', ['login', 'ghcr.io/acme', '-u', 'ada', '--password-stdin']],
    ['the host is none to references', ['login', 'registry', '-u', 'ada', '--password-stdin']],
    ['the name has a colon', ['login', 'localhost:1', '-u', 'a:b', '--password-stdin']],
    ['the password is empty', ['login', 'localhost:1', '-u', 'ada', '--password-stdin']],
  ])('nothing and ends when %s', async (name, argv) => {
    const stdin = name.includes('empty') ? '\n' : 'x\n';
    expect((await boltseal(argv, { env: home().env, stdin })).exitCode).toBe(2);
  });
});

describe('logout', () => {
  test('takes the password out of the file, under every spelling, and leaves the rest', async () => {
    const there = home({
      auths: {
        'docker.io': { auth },
        'https://index.docker.io/v1/': { auth: old },
        'ghcr.io': { auth },
        'docker.io/acme': { auth },
      },
      psFormat: 'x',
    });
    const { exitCode, stdout } = await boltseal(['logout', 'registry-1.docker.io'], { env: there.env });
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: `Logged out of docker.io: erased from ${there.file}\n`,
    });
    expect(stored(there)).toEqual({ auths: { 'ghcr.io': { auth }, 'docker.io/acme': { auth } }, psFormat: 'x' });
  });

  test('erases from the helper, and the mark in the file', async () => {
    const there = home({ credsStore: 'vault', auths: { 'https://index.docker.io/v1/': {} } });
    writeFileSync(
      join(there.folder, 'vault'),
      '{"ServerURL":"https://index.docker.io/v1/","Username":"ada","Secret":"x"}',
    );
    expect((await boltseal(['logout', 'docker.io'], { env: there.env })).stdout).toContain('erased from vault\n');
    expect(existsSync(join(there.folder, 'vault'))).toBe(false);
    expect(stored(there)).toEqual({ credsStore: 'vault', auths: {} });
  });

  test.each([
    ['the file is missing', undefined],
    ['the file has another host', { auths: { 'ghcr.io:8443': { auth } } }],
    ['the helper has nothing', { credsStore: 'vault', auths: { 'ghcr.io': {} } }],
  ])('says that there was nothing when %s', async (_, config) => {
    const there = home(config);
    expect((await boltseal(['logout', 'ghcr.io'], { env: there.env })).stdout).toBe('There was no login for ghcr.io\n');
  });

  test('says where another login is left', async () => {
    const there = home({ auths: { 'ghcr.io': { auth } } });
    mkdirSync(join(there.folder, '.config', 'containers'), { recursive: true });
    const other = join(there.folder, '.config', 'containers', 'auth.json');
    writeFileSync(other, JSON.stringify({ auths: { 'ghcr.io': { auth } } }));
    const { stdout, stderr } = await boltseal(['logout', 'ghcr.io'], { env: there.env });
    expect(stdout).toContain('Logged out');
    expect(stderr).toContain(other);
  });
});
