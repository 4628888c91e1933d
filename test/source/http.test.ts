import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import { connect, createServer as createPlain, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { HttpRequest } from '../../src/source/http-message.ts';
import { openHttpClient, readBody, type HttpClient } from '../../src/source/http.ts';
import { isLoopbackHost, isPrivateHost } from '../../src/source/network-address.ts';
import { checkTarget } from '../../src/source/redirect.ts';
import { registryOrigin } from '../../src/source/registry/endpoint.ts';
import { testContext } from '../support/context.ts';
import { startServer } from '../support/http-server.ts';
import { codeOf, openAt } from '../support/open-registry.ts';

const fixture = (name: string): string => readFileSync(join(import.meta.dirname, '../fixtures/tls', name), 'utf8');
/** Of a certificate for localhost and registry.invalid that signed itself. */
const TLS = { cert: fixture('localhost.crt'), key: fixture('localhost.key') };

const PRIVATE = [
  '10.0.0.1',
  '172.16.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '0.0.0.0',
  '[fe80::1]',
  '[fd00::1]',
];
const LOOPBACK = [
  'localhost',
  'LOCALHOST',
  'a.localhost',
  'localhost.',
  '127.0.0.1',
  '127.9.9.9',
  '[::1]',
  '[::ffff:127.0.0.1]',
];
const PUBLIC = ['ghcr.io', '8.8.8.8', '172.32.0.1', 'localhost.example.org', '127.0.0.1.example.org', '[2001:db8::1]'];

describe('addresses', () => {
  test.each(LOOPBACK)('%s is this machine', (host) => {
    expect([isLoopbackHost(host), isPrivateHost(host)]).toEqual([true, true]);
  });
  test.each(PRIVATE)('%s is private, and not this machine', (host) => {
    expect([isLoopbackHost(host), isPrivateHost(host)]).toEqual([false, true]);
  });
  test.each(PUBLIC)('%s is public', (host) => {
    expect([isLoopbackHost(host), isPrivateHost(host)]).toEqual([false, false]);
  });
});

describe('where a registry is reached', () => {
  test.each([
    ['docker.io', undefined, 'https://registry-1.docker.io/'],
    ['ghcr.io', undefined, 'https://ghcr.io/'],
    ['localhost:5000', undefined, 'http://localhost:5000/'],
    ['[::1]:5000', undefined, 'http://[::1]:5000/'],
    ['localhost:5000', false, 'https://localhost:5000/'],
    ['10.0.0.1:5000', undefined, 'https://10.0.0.1:5000/'],
    ['10.0.0.1:5000', true, 'http://10.0.0.1:5000/'],
    ['localhost.example.org', undefined, 'https://localhost.example.org/'],
  ])('%s (plain HTTP: %s) is %s', (host, plainHttp, origin) => {
    expect(registryOrigin(host, plainHttp).href).toBe(origin);
  });
});

describe('a redirect', () => {
  const check = (from: string, to: string) => () => checkTarget(new URL(to), new URL(from));
  test.each([
    ['https://ghcr.io/', 'https://cdn.example.org/'],
    ['http://localhost:1/', 'http://127.0.0.1:2/'],
    ['https://10.0.0.1/', 'https://10.0.0.2/'],
  ])('from %s to %s is followed', (from, to) => {
    expect(check(from, to)).not.toThrow();
  });
  test.each([
    ['https://ghcr.io/', 'http://ghcr.io/'],
    ['https://ghcr.io/', 'https://169.254.169.254/'],
    ['https://ghcr.io/', 'https://0x7f.1/'],
    ['https://ghcr.io/', 'https://[::ffff:10.0.0.1]/'],
  ])('from %s to %s is refused', (from, to) => {
    expect(check(from, to)).toThrow(expect.objectContaining({ code: 'REGISTRY_UNSAFE' }));
  });
});

describe('a registry that cannot be reached', () => {
  test('where nothing listens', async () => {
    const server = await startServer(() => undefined);
    await server[Symbol.asyncDispose]();
    const error = await openAt(server.host, { suffix: ':1' })
      .resolve()
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: expect.stringContaining('nothing listens there (ECONNREFUSED)'),
    });
  });

  test('that is not HTTP', async () => {
    const server = createPlain((socket) => socket.end('220 smtp ready\r\n')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await codeOf(openAt(`127.0.0.1:${port}`, { suffix: ':1' }).resolve())).toBe('REGISTRY_UNREACHABLE');
    server.close();
  });

  test('that speaks plain HTTP where TLS is wanted is not spoken to in plain HTTP', async () => {
    let requests = 0;
    await using server = await startServer(() => (requests += 1));
    const source = openAt(server.host, { suffix: ':1', options: { plainHttp: false } });
    const error = await source.resolve().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'REGISTRY_UNREACHABLE', hint: expect.stringContaining('--plain-http') });
    expect(requests).toBe(0);
  });

  test('because the run was interrupted', async () => {
    await using server = await startServer(() => undefined);
    const controller = new AbortController();
    const source = openAt(server.host, { suffix: ':1', context: testContext({ signal: controller.signal }) });
    const resolving = codeOf(source.resolve());
    setTimeout(() => controller.abort(), 20);
    expect(await resolving).toBe('INTERRUPTED');
  });
});

describe('TLS', () => {
  test('HTTP/2 is used where it is offered, and only a trusted certificate is accepted', async () => {
    const versions: string[] = [];
    const server = createSecureServer({ ...TLS, allowHTTP1: true }, (request, response) => {
      versions.push(request.httpVersion);
      response.end('hello');
    }).listen(0, 'localhost');
    await new Promise((resolve) => server.once('listening', resolve));
    const url = new URL(`https://localhost:${(server.address() as AddressInfo).port}/`);
    const context = testContext();
    await using stranger = openHttpClient({}, context);
    const refused = await stranger.send({ method: 'GET', url }).catch((caught: unknown) => caught);
    expect(refused).toMatchObject({ code: 'REGISTRY_UNREACHABLE', message: expect.stringContaining('not trusted') });
    {
      await using friend = openHttpClient({ tlsFor: () => ({ ca: [TLS.cert] }) }, context);
      const answers = await Promise.all(Array.from({ length: 4 }, () => friend.send({ method: 'GET', url })));
      const bodies = await Promise.all(answers.map((answer) => readBody(answer, 100, context)));
      expect(bodies.map((body) => Buffer.from(body).toString())).toEqual(['hello', 'hello', 'hello', 'hello']);
      const posted = await friend.send({
        method: 'POST',
        url,
        headers: { 'content-length': '2' },
        body: () => Buffer.from('{}'),
      });
      expect(posted.status).toBe(200);
    }
    expect(new Set(versions)).toEqual(new Set(['2.0']));
    server.close();
  });
});

describe('a proxy', () => {
  test('of the environment is used, except for this machine and NO_PROXY', async () => {
    const seen: string[] = [];
    await using proxy = await startServer((request, response) => {
      seen.push(request.url ?? '');
      response.end('by proxy');
    });
    const context = testContext({ env: { HTTP_PROXY: proxy.origin, NO_PROXY: 'direct.invalid' } });
    await using client = openHttpClient({}, context);
    await using here = await startServer((_, response) => response.end('direct'));
    const ask = async (url: string): Promise<string> =>
      Buffer.from(await readBody(await client.send({ method: 'GET', url: new URL(url) }), 100, context)).toString();
    expect(await ask(here.origin)).toBe('direct');
    expect(await codeOf(ask('http://direct.invalid/'))).toBe('REGISTRY_UNREACHABLE');
    expect(await ask('http://far.invalid/x')).toBe('by proxy');
    expect(seen).toEqual(['http://far.invalid/x']);
  });
});

test('a tunnel through a proxy trusts the certificates of the registry behind it', async () => {
  const server = createSecureServer({ ...TLS, allowHTTP1: true }, (_, response) => response.end('hello'));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = server.address() as AddressInfo;
  const proxy = createServer().on('connect', (request, client) => {
    const upstream = connect(port, '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
    if (request.url === 'registry.invalid:443') upstream.pipe(client).pipe(upstream);
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', () => resolve(undefined)));
  const env = { HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
  const context = testContext({ env });
  const url = new URL('https://registry.invalid/');
  {
    await using friend = openHttpClient({ tlsFor: () => ({ ca: [TLS.cert] }) }, context);
    const answer = await friend.send({ method: 'GET', url });
    expect(Buffer.from(await readBody(answer, 100, context)).toString()).toBe('hello');
    await using stranger = openHttpClient({}, context);
    expect(await codeOf(stranger.send({ method: 'GET', url }))).toBe('REGISTRY_UNREACHABLE');
  }
  proxy.close();
  server.close();
});

test('a body that is longer than its limit is refused', async () => {
  await using server = await startServer((_, response) => response.end('x'.repeat(1000)));
  const context = testContext();
  await using client = openHttpClient({}, context);
  const response = await client.send({ method: 'GET', url: new URL(server.origin) });
  expect(await codeOf(readBody(response, 999, context))).toBe('LIMIT_EXCEEDED');
});

describe('after the answer to a HEAD', () => {
  const ask = async (origin: string, method: HttpRequest['method'], client: HttpClient): Promise<string> => {
    const response = await client.send({ method, url: new URL(origin) });
    return Buffer.from(await readBody(response, 1000, testContext())).toString();
  };

  test('the connection is used again', async () => {
    const ports = new Set<number | undefined>();
    await using server = await startServer(({ socket }, response) => {
      ports.add(socket.remotePort);
      response.setHeader('content-length', 6).end('answer');
    });
    await using client = openHttpClient({}, testContext());
    for (const method of ['HEAD', 'GET', 'HEAD', 'GET'] as const) await ask(server.origin, method, client);
    expect(ports.size).toBe(1);
  });

  test('a body that should not be there is not taken for the next answer', async () => {
    const answer = (body: string): string => `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    const server = createPlain((socket) => {
      socket.on('error', () => {});
      socket.on('data', (data) =>
        socket.write(data.toString().startsWith('HEAD') ? answer(answer('forged')) : answer('honest')),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await using client = openHttpClient({}, testContext());
    await ask(origin, 'HEAD', client);
    expect(await ask(origin, 'GET', client)).toBe('honest');
    server.close();
  });
});
