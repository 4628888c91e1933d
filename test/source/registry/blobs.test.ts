import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { blobOf, codeOf, openAt, SOME_DIGEST } from '../../support/open-registry.ts';
import { startRegistry } from '../../support/registry-server.ts';

const big = blobOf(randomBytes(300_000));

describe('pushing a blob', () => {
  test.each([
    ['that takes it with the first request', true, ['POST']],
    ['that does not', false, ['POST', 'PUT']],
  ])('to a registry %s takes no request more, and one when it is there', async (_, singlePost, methods) => {
    await using registry = await startRegistry({ singlePost });
    const { descriptor, bytes } = blobOf('hello');
    await openAt(registry.host).writeBlob(descriptor, () => bytes);
    expect(registry.lines().map((line) => line.split(' ')[0])).toEqual(methods);
    expect(registry.blobs.get(descriptor.digest)?.equals(bytes)).toBe(true);
    await openAt(registry.host).writeBlob(descriptor, () => bytes);
    expect(registry.lines()).toHaveLength(methods.length + 1);
  });

  test('a big one is asked for first, and streamed', async () => {
    await using registry = await startRegistry({ mounts: false });
    const open = (): Readable => Readable.from([big.bytes.subarray(0, 1000), big.bytes.subarray(1000)]);
    await openAt(registry.host).writeBlob(big.descriptor, open);
    expect(registry.lines().map((line) => line.split(' ')[0])).toEqual(['HEAD', 'POST', 'PUT']);
    await openAt(registry.host).writeBlob(big.descriptor, open);
    expect(registry.lines()).toHaveLength(4);
  });

  test('to another host goes without credentials', async () => {
    await using storage = await startRegistry();
    const account = { username: 'ada', password: 'secret' };
    await using registry = await startRegistry({
      auth: 'basic',
      account,
      uploadLocation: 'absolute',
      uploadHost: storage.origin,
    });
    const { descriptor, bytes } = big;
    await openAt(registry.host, { options: { credential: { kind: 'basic', ...account } } }).writeBlob(
      descriptor,
      () => bytes,
    );
    expect(storage.requests).toHaveLength(1);
    expect(storage.requests[0]?.headers.authorization).toBeUndefined();
  });

  test('is started again when the server fails or forgets the upload, with a body opened anew', async () => {
    let failures = 0;
    await using registry = await startRegistry();
    registry.behaviour.fault = ({ method }) =>
      method === 'PUT' && (failures += 1) <= 2 ? { status: failures === 1 ? 503 : 404 } : undefined;
    let opened = 0;
    await openAt(registry.host).writeBlob(big.descriptor, () => {
      opened += 1;
      return Readable.from([big.bytes]);
    });
    expect(opened).toBe(3);
    expect(registry.blobs.get(big.descriptor.digest)?.equals(big.bytes)).toBe(true);
  });

  test('with the wrong bytes fails at once', async () => {
    await using registry = await startRegistry({ singlePost: false });
    const { descriptor } = blobOf('hello');
    expect(await codeOf(openAt(registry.host).writeBlob(descriptor, () => Buffer.from('hellO')))).toBe(
      'REGISTRY_ERROR',
    );
    expect(registry.lines()).toHaveLength(2);
  });

  test('falls back to a plain upload where mounting is an error', async () => {
    await using registry = await startRegistry();
    registry.behaviour.fault = ({ query }) => (query.has('mount') ? { status: 400 } : undefined);
    const { descriptor, bytes } = blobOf('hello');
    await openAt(registry.host).writeBlob(descriptor, () => bytes);
    expect(registry.blobs.has(descriptor.digest)).toBe(true);
  });
});

describe('pulling a blob', () => {
  test('gives its bytes', async () => {
    await using registry = await startRegistry();
    registry.blobs.set(big.descriptor.digest, Buffer.from(big.bytes));
    expect((await buffer(await openAt(registry.host).readBlob(big.descriptor))).equals(big.bytes)).toBe(true);
  });

  test.each([true, false])('goes on where the connection broke (server honours Range: %s)', async (honours) => {
    let cuts = 0;
    await using registry = await startRegistry();
    const body = Buffer.from(big.bytes);
    registry.blobs.set(big.descriptor.digest, body);
    registry.behaviour.fault = ({ headers }) => {
      if ((cuts += 1) === 1) return { status: 200, body, cutAfterBytes: 100_000 };
      return honours || headers.range === undefined ? undefined : { status: 200, body };
    };
    expect((await buffer(await openAt(registry.host).readBlob(big.descriptor))).equals(big.bytes)).toBe(true);
    expect(registry.requests[1]?.headers.range).toMatch(/^bytes=\d+-$/);
  });

  test.each([
    ['is complete, and asks for nothing more', big.bytes, undefined],
    [
      'with a wrong byte is refused all the same',
      Buffer.concat([big.bytes.subarray(1), Buffer.of(0)]),
      'DIGEST_MISMATCH',
    ],
  ])('whose connection breaks after the last byte %s', async (_, body, code) => {
    const headers = { 'content-length': String(body.length + 1) };
    await using registry = await startRegistry({
      fault: () => ({ status: 200, headers, body, cutAfterBytes: body.length }),
    });
    expect(await codeOf(openAt(registry.host).readBlob(big.descriptor).then(buffer))).toBe(code);
    expect(registry.requests).toHaveLength(1);
  });

  test('that always breaks is an error', async () => {
    await using registry = await startRegistry();
    const body = Buffer.from(big.bytes);
    registry.behaviour.fault = () => ({ status: 200, body, cutAfterBytes: 10 });
    expect(await codeOf(openAt(registry.host).readBlob(big.descriptor).then(buffer))).toBe('REGISTRY_UNREACHABLE');
  });

  test.each([
    ['changed', 'DIGEST_MISMATCH', (bytes: Buffer) => Buffer.concat([bytes.subarray(1), Buffer.from('x')])],
    ['too long', 'SIZE_MISMATCH', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('x')])],
    ['too short', 'SIZE_MISMATCH', (bytes: Buffer) => bytes.subarray(1)],
  ])('that was %s fails', async (_, code, change) => {
    await using registry = await startRegistry();
    registry.blobs.set(big.descriptor.digest, change(Buffer.from(big.bytes)));
    expect(await codeOf(openAt(registry.host).readBlob(big.descriptor).then(buffer))).toBe(code);
  });

  test('that is not there is not found', async () => {
    await using registry = await startRegistry();
    expect(await codeOf(openAt(registry.host).readBlob({ ...big.descriptor, digest: SOME_DIGEST }))).toBe('NOT_FOUND');
  });

  test('follows a redirect to storage without credentials', async () => {
    await using storage = await startRegistry();
    storage.blobs.set(big.descriptor.digest, Buffer.from(big.bytes));
    const account = { username: 'ada', password: 'secret' };
    await using registry = await startRegistry({ auth: 'basic', account });
    registry.behaviour.fault = ({ path, headers }) =>
      headers.authorization === undefined
        ? undefined
        : { status: 307, headers: { location: `${storage.origin}${path}` } };
    const source = openAt(registry.host, { options: { credential: { kind: 'basic', ...account } } });
    expect((await buffer(await source.readBlob(big.descriptor))).equals(big.bytes)).toBe(true);
    expect(storage.requests[0]?.headers.authorization).toBeUndefined();
  });

  test('a 401 of the storage is no reason to send it the password', async () => {
    await using storage = await startRegistry({
      fault: () => ({ status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }),
    });
    await using registry = await startRegistry();
    registry.behaviour.fault = ({ path }) => ({ status: 307, headers: { location: `${storage.origin}${path}` } });
    const credential = { kind: 'basic', username: 'ada', password: 'secret' } as const;
    const source = openAt(registry.host, { options: { credential } });
    expect(await codeOf(source.readBlob(big.descriptor))).toBe('REGISTRY_UNAUTHORIZED');
    expect(storage.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  test('redirects in a circle end', async () => {
    await using registry = await startRegistry({ fault: ({ path }) => ({ status: 302, headers: { location: path } }) });
    expect(await codeOf(openAt(registry.host).readBlob(big.descriptor))).toBe('REGISTRY_ERROR');
  });
});
