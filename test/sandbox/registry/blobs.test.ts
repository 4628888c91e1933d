import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { startRegistry } from '../../../src/sandbox/registry/registry.ts';
import { testContext } from '../../support/context.ts';
import { registryClient, type RegistryClient } from '../../support/registry-client.ts';

let directory: string;
let registry: Awaited<ReturnType<typeof startRegistry>>;
let client: RegistryClient;
let elsewhere: RegistryClient;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'boltseal-registry-'));
  registry = await startRegistry({ directory, port: 0 }, testContext());
  client = registryClient(registry.url, 'team/app');
  elsewhere = registryClient(registry.url, 'team/other');
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

describe('a blob', () => {
  test('pushed in one request can be pulled, and has the headers clients look at', async () => {
    const digest = await client.pushBlob('hello');
    const pulled = await client.send('GET', `blobs/${digest}`);
    expect([pulled.status, await pulled.text()]).toEqual([200, 'hello']);
    expect(Object.fromEntries(pulled.headers)).toMatchObject({
      'content-length': '5',
      'docker-content-digest': digest,
      'accept-ranges': 'bytes',
    });
    const head = await client.send('HEAD', `blobs/${digest}`);
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '5', '']);
  });

  test('whose bytes are not the digest’s is refused, and is not there', async () => {
    const digest = digestOf('right');
    const pushed = await client.send('POST', `blobs/uploads/?digest=${digest}`, { body: 'wrong' });
    expect([pushed.status, await codeOf(pushed)]).toEqual([400, 'DIGEST_INVALID']);
    const pulled = await client.send('GET', `blobs/${digest}`);
    expect([pulled.status, await codeOf(pulled)]).toEqual([404, 'BLOB_UNKNOWN']);
  });

  test('may be named by sha512', async () => {
    const digest = digestOf('long', 'sha512');
    expect((await client.send('POST', `blobs/uploads/?digest=${digest}`, { body: 'long' })).status).toBe(201);
    expect(await (await client.send('GET', `blobs/${digest}`)).text()).toBe('long');
    expect((await client.send('POST', `blobs/uploads/?digest=${digest}`, { body: 'Long' })).status).toBe(400);
  });

  test.for(['md5:d41d8cd98f00b204e9800998ecf8427e', 'sha256:abc', `sha256:${'A'.repeat(64)}`])(
    'is not named by %s',
    async (digest) => {
      const pulled = await client.send('GET', `blobs/${digest}`);
      expect([pulled.status, await codeOf(pulled)]).toEqual([400, 'DIGEST_INVALID']);
    },
  );

  test.for([
    ['bytes=1-3', 206, 'ell', 'bytes 1-3/5'],
    ['bytes=3-', 206, 'lo', 'bytes 3-4/5'],
    ['bytes=-2', 206, 'lo', 'bytes 3-4/5'],
    ['bytes=0-99', 206, 'hello', 'bytes 0-4/5'],
    ['bytes=0-1,3-4', 200, 'hello', null],
    ['bytes=3-1', 200, 'hello', null],
  ] as const)('is read in part with Range: %s', async ([range, status, text, contentRange]) => {
    const digest = await client.pushBlob('hello');
    const pulled = await client.send('GET', `blobs/${digest}`, { headers: { range } });
    expect([pulled.status, await pulled.text(), pulled.headers.get('content-range')]).toEqual([
      status,
      text,
      contentRange,
    ]);
  });

  test('is not read past its end', async () => {
    const digest = await client.pushBlob('hello');
    const pulled = await client.send('GET', `blobs/${digest}`, { headers: { range: 'bytes=5-' } });
    expect([pulled.status, pulled.headers.get('content-range')]).toEqual([416, 'bytes */5']);
  });

  test('can be deleted, and then is not there', async () => {
    const digest = await client.pushBlob('short-lived');
    expect((await client.send('DELETE', `blobs/${digest}`)).status).toBe(202);
    expect((await client.send('HEAD', `blobs/${digest}`)).status).toBe(404);
    expect((await client.send('DELETE', `blobs/${digest}`)).status).toBe(404);
  });
});

describe('another repository', () => {
  test('sees a blob only once it is mounted', async () => {
    const digest = await client.pushBlob('mounted');
    expect((await elsewhere.send('HEAD', `blobs/${digest}`)).status).toBe(404);
    const mounted = await elsewhere.send('POST', `blobs/uploads/?mount=${digest}&from=team/app`);
    expect([mounted.status, mounted.headers.get('location')]).toEqual([201, `/v2/team/other/blobs/${digest}`]);
    expect((await elsewhere.send('HEAD', `blobs/${digest}`)).status).toBe(200);
  });

  test.for(['&from=team/absent', ''])('gets an upload instead of a mount when the source is "%s"', async (from) => {
    const digest = await client.pushBlob('not for others');
    const mounted = await elsewhere.send('POST', `blobs/uploads/?mount=${digest}${from}`);
    expect((await elsewhere.send('HEAD', `blobs/${digest}`)).status).toBe(404);
    expect(mounted.status).toBe(202);
    expect(mounted.headers.get('location')).toMatch(/^\/v2\/team\/other\/blobs\/uploads\//);
  });
});

describe('an upload', () => {
  test('is POST, then PUT', async () => {
    const location = await begin();
    const put = await client.send('PUT', `${location}?digest=${digestOf('two steps')}`, { body: 'two steps' });
    expect([put.status, put.headers.get('docker-content-digest')]).toEqual([201, digestOf('two steps')]);
  });

  test('takes chunks in order, and says how far it is', async () => {
    const location = await begin();
    const first = await patch(location, 'abc', '0-2');
    expect([first.status, first.headers.get('range')]).toEqual([202, '0-2']);
    expect((await patch(location, 'def', '3-5')).headers.get('range')).toBe('0-5');
    const state = await client.send('GET', location);
    expect([state.status, state.headers.get('range'), state.headers.get('location')]).toEqual([204, '0-5', location]);
    const put = await client.send('PUT', `${location}?digest=${digestOf('abcdefg')}`, {
      body: 'g',
      headers: { 'content-range': '6-6' },
    });
    expect(put.status).toBe(201);
    expect(await (await client.send('GET', `blobs/${digestOf('abcdefg')}`)).text()).toBe('abcdefg');
  });

  test('refuses a chunk out of order with 416 and what it has, and goes on from there', async () => {
    const location = await begin();
    await patch(location, 'abc', '0-2');
    const gap = await patch(location, 'xyz', '7-9');
    expect([gap.status, gap.headers.get('range'), await codeOf(gap)]).toEqual([416, '0-2', 'BLOB_UPLOAD_INVALID']);
    expect((await patch(location, 'def', '3-5')).status).toBe(202);
  });

  test.for(['bytes 0-2/3', '0-1', '2-0', 'x'])('refuses three bytes with Content-Range: %s', async (range) => {
    expect((await patch(await begin(), 'abc', range)).status).toBeGreaterThanOrEqual(400);
  });

  test.for([
    ['takes', '0-2', 202],
    ['refuses', '0-3', 400],
  ] as const)('%s three bytes of unannounced length with Content-Range: %s', async ([, range, status]) => {
    const url = new URL(await begin(), registry.url);
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    const sent = request(url, { method: 'PATCH', headers: { 'content-range': range } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.write('ab');
    sent.end('c');
    expect(await promise).toBe(status);
  });

  test('with the wrong digest is gone, and so are its bytes', async () => {
    const location = await begin();
    await patch(location, 'abc', '0-2');
    expect((await client.send('PUT', `${location}?digest=${digestOf('abd')}`)).status).toBe(400);
    const state = await client.send('GET', location);
    expect([state.status, await codeOf(state)]).toEqual([404, 'BLOB_UPLOAD_UNKNOWN']);
    expect(await readdir(join(directory, 'uploads'))).not.toContain(location.split('/').at(-1));
  });

  test('can be cancelled', async () => {
    const location = await begin();
    expect((await client.send('DELETE', location)).status).toBe(204);
    expect((await client.send('GET', location)).status).toBe(404);
  });

  test('is known in its own repository only', async () => {
    const location = (await begin()).replace('team/app', 'team/other');
    expect((await client.send('GET', location)).status).toBe(404);
  });

  test('without a digest at its end is refused', async () => {
    expect(await codeOf(await client.send('PUT', await begin(), { body: 'abc' }))).toBe('DIGEST_INVALID');
  });
});

test.for(['Team/App', 'team//app', '../etc', 'team/app.', `a/${'b'.repeat(300)}`])(
  'the repository name %s is refused',
  async (name) => {
    const response = await fetch(`${registry.url}/v2/${encodeURIComponent(name)}/blobs/uploads/`, { method: 'POST' });
    expect([response.status, await codeOf(response)]).toEqual([400, 'NAME_INVALID']);
  },
);

test('a method that is not there is answered with 405 and those that are', async () => {
  const response = await client.send('PATCH', `blobs/${digestOf('x')}`);
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, DELETE']);
});

async function begin(): Promise<string> {
  return (await client.send('POST', 'blobs/uploads/')).headers.get('location') ?? '';
}

async function patch(location: string, body: string, range: string): Promise<Response> {
  return client.send('PATCH', location, { body, headers: { 'content-range': range } });
}

async function codeOf(response: Response): Promise<string | undefined> {
  const body = (await response.json()) as { errors?: readonly { code: string }[] };
  return body.errors?.[0]?.code;
}
