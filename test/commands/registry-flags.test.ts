import { readFileSync, writeFileSync } from 'node:fs';
import type { TLSSocket } from 'node:tls';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { boltseal, type Ran } from '../support/cli.ts';
import { startServer } from '../support/http-server.ts';
import { startRegistry, type TestRegistry } from '../support/registry-server.ts';
import { temporaryFolder } from '../support/tools.ts';

const CERT = 'test/fixtures/tls/localhost.crt';
const KEY = 'test/fixtures/tls/localhost.key';
const pem = { cert: readFileSync(CERT), key: readFileSync(KEY) };
/** A server that talks only to clients that show the certificate. */
const mutual = { ...pem, ca: pem.cert, requestCert: true, rejectUnauthorized: true };

/** What a command that got through to the registry ends with: the image is not there. */
const discover = ({ host }: { readonly host: string }, flags: readonly string[], env = {}): Promise<Ran> =>
  boltseal(['discover', `${host}/acme/app:1`, ...flags], { env });
const startTls = (tls: object = pem): Promise<TestRegistry> => startRegistry({}, tls);

describe('a registry with a certificate of an unknown CA', () => {
  test.each([
    ['without a flag', []],
    ['with the CA of somebody else', ['--ca-file', 'OTHER']],
  ])('is not spoken to %s', async (_, flags) => {
    await using registry = await startTls();
    const other = join(temporaryFolder(), 'other.crt');
    writeFileSync(other, '');
    const named = flags.map((flag) => (flag === 'OTHER' ? other : flag));
    // Without a flag, loopback means plain HTTP: the server hangs up.
    expect((await discover(registry, named)).stderr).toContain('REGISTRY_UNREACHABLE');
    expect(registry.requests).toEqual([]);
  });

  test('is spoken to with --ca-file', async () => {
    await using registry = await startTls();
    const { stderr } = await discover(registry, ['--ca-file', CERT]);
    expect(stderr).toContain('NOT_FOUND');
    expect(stderr).not.toContain('warning');
  });

  test('is spoken to with --insecure, and that is said once', async () => {
    await using registry = await startTls();
    const { stderr } = await discover(registry, ['--insecure']);
    expect(stderr).toContain('NOT_FOUND');
    expect(stderr.match(/warning: .*insecure/g)).toHaveLength(1);
  });

  test('gets no password over a connection that --insecure is not for', async () => {
    const seen: string[] = [];
    await using service = await startServer((request, response) => {
      seen.push(request.headers.authorization ?? 'nothing');
      response.end('{"token":"x"}');
    }, pem);
    const realm = service.origin.replace('localhost', '127.0.0.1');
    await using registry = await startRegistry({ auth: 'bearer', realm: `${realm}/token` }, pem);
    const argv = ['discover', `${registry.host}/acme/app:1`, '--insecure', '-u', 'ada', '--password-stdin'];
    expect((await boltseal(argv, { stdin: 'secret' })).stderr).toContain('not trusted');
    expect(seen).toEqual([]);
    registry.behaviour.realm = `${service.origin}/token`;
    await boltseal(argv, { stdin: 'secret' });
    expect(seen).not.toEqual([]);
  });
});

describe('a registry that wants a certificate of the client', () => {
  const client = ['--cert-file', CERT, '--key-file', KEY];

  test('gets the one of --cert-file and --key-file', async () => {
    await using registry = await startTls(mutual);
    expect((await discover(registry, ['--ca-file', CERT, ...client])).stderr).toContain('NOT_FOUND');
  });

  test('is unreachable without one', async () => {
    await using registry = await startTls(mutual);
    expect((await discover(registry, ['--ca-file', CERT])).stderr).toContain('REGISTRY_UNREACHABLE');
    expect(registry.requests).toEqual([]);
  });

  test('does not make the client show it to a host that it redirects to', async () => {
    const shown: boolean[] = [];
    await using storage = await startServer(
      (request, response) => {
        shown.push(Object.keys((request.socket as TLSSocket).getPeerCertificate()).length > 0);
        response.writeHead(404).end();
      },
      { ...pem, requestCert: true, rejectUnauthorized: false },
    );
    await using registry = await startTls(mutual);
    let location = storage.origin;
    registry.behaviour.fault = ({ path }) => ({ status: 307, headers: { location: `${location}${path}` } });
    const both = ['--ca-file', CERT, '--insecure', ...client];
    await discover(registry, both);
    expect(shown.includes(false)).toBe(false);
    expect(shown.length).toBeGreaterThan(0);
    shown.length = 0;
    location = storage.origin.replace('localhost', '127.0.0.1');
    expect((await discover(registry, both)).stderr).toContain('REGISTRY_UNREACHABLE');
    expect(shown).toEqual([]);
  });
});

test.each([
  ['--cert-file without --key-file', ['--cert-file', CERT], 2],
  ['--plain-http with --insecure', ['--plain-http', '--insecure'], 2],
  ['a CA file that is not there', ['--ca-file', 'missing.crt'], 2],
  ['a credential file that is not there', ['--registry-config', 'missing.json'], 3],
])('%s is an error', async (_, flags, exitCode) => {
  await using registry = await startRegistry({ auth: 'basic' });
  expect((await discover(registry, flags)).exitCode).toBe(exitCode);
});

test('--registry-config is asked instead of every other place', async () => {
  const account = { username: 'ada', password: 'secret' };
  await using registry = await startRegistry({ auth: 'basic', account });
  const auth = Buffer.from('ada:secret').toString('base64');
  const good = JSON.stringify({ auths: { [registry.host]: { auth } } });
  const file = join(temporaryFolder(), 'auth.json');
  writeFileSync(file, good);
  expect((await discover(registry, ['--registry-config', file])).stderr).toContain('NOT_FOUND');
  writeFileSync(file, '{}');
  const env = { DOCKER_AUTH_CONFIG: good };
  expect((await discover(registry, [], env)).stderr).toContain('NOT_FOUND');
  expect((await discover(registry, ['--registry-config', file], env)).stderr).toContain('REGISTRY_UNAUTHORIZED');
});
