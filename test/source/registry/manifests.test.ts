import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { testContext } from '../../support/context.ts';
import { problem } from '../../support/http-server.ts';
import { codeOf, imageManifest, openAt, pushImage, SOME_DIGEST } from '../../support/open-registry.ts';
import { startRegistry } from '../../support/registry-server.ts';

describe('resolving a tag', () => {
  test('takes one request', async () => {
    await using registry = await startRegistry();
    const image = await pushImage(openAt(registry.host));
    const before = registry.lines().length;
    expect(await openAt(registry.host, { suffix: ':1' }).resolve()).toBe(image.digest);
    expect(registry.lines().slice(before)).toEqual(['HEAD /v2/acme/app/manifests/1']);
  });

  test.each([
    ['HEAD is not supported', { status: 405 }],
    ['HEAD gives no digest', { status: 200 }],
    ['HEAD gives a digest that is none', { status: 200, headers: { 'docker-content-digest': 'sha256:abc' } }],
  ])('hashes the manifest when %s', async (_, answer) => {
    await using registry = await startRegistry();
    const image = await pushImage(openAt(registry.host));
    registry.behaviour.fault = ({ method }) => (method === 'HEAD' ? answer : undefined);
    expect(await openAt(registry.host, { suffix: ':1' }).resolve()).toBe(image.digest);
  });

  test.each([
    ['NAME_UNKNOWN', 'there is no repository 127.0.0.1:'],
    ['MANIFEST_UNKNOWN', 'there is no manifest 127.0.0.1:'],
  ])('%s says in words what is missing', async (code, words) => {
    await using registry = await startRegistry({ fault: () => problem(404, code) });
    const error = await openAt(registry.host, { suffix: ':1' })
      .resolve()
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining(words) });
  });
});

describe('reading a manifest by digest', () => {
  test('gives the exact bytes', async () => {
    await using registry = await startRegistry();
    const image = await pushImage(openAt(registry.host), 'exact');
    const { bytes, manifest } = await openAt(registry.host).readManifest(image.digest);
    expect(Buffer.from(bytes).equals(imageManifest('exact'))).toBe(true);
    expect(manifest).toMatchObject({ kind: 'image', annotations: { name: 'exact' } });
  });

  test('refuses other bytes, whatever the digest header says', async () => {
    await using registry = await startRegistry();
    const source = openAt(registry.host);
    const image = await pushImage(source);
    const headers = { 'docker-content-digest': image.digest, 'content-type': image.mediaType };
    registry.behaviour.fault = () => ({ status: 200, headers, body: imageManifest('another') });
    expect(await codeOf(source.readManifest(image.digest))).toBe('DIGEST_MISMATCH');
  });

  test('refuses a body that says it is of another type than it was sent as', async () => {
    await using registry = await startRegistry();
    const source = openAt(registry.host);
    const { digest } = await pushImage(source);
    const headers = { 'content-type': 'application/vnd.oci.image.index.v1+json' };
    registry.behaviour.fault = () => ({ status: 200, headers, body: imageManifest('image') });
    expect(await codeOf(source.readManifest(digest))).toBe('MANIFEST_INVALID');
  });

  test('that is not there is not found', async () => {
    await using registry = await startRegistry();
    expect(await codeOf(openAt(registry.host).readManifest(SOME_DIGEST))).toBe('NOT_FOUND');
  });
});

describe('writing a manifest', () => {
  test('refuses a registry that stored something else', async () => {
    await using registry = await startRegistry();
    const headers = { 'docker-content-digest': SOME_DIGEST };
    registry.behaviour.fault = ({ method }) => (method === 'PUT' ? { status: 201, headers } : undefined);
    expect(await codeOf(openAt(registry.host).writeManifest(imageManifest('x')))).toBe('DIGEST_MISMATCH');
  });

  test('accepts a digest of another algorithm', async () => {
    await using registry = await startRegistry();
    const headers = { 'docker-content-digest': digestOf(imageManifest('x'), 'sha512') };
    registry.behaviour.fault = ({ method }) => (method === 'PUT' ? { status: 201, headers } : undefined);
    expect((await openAt(registry.host).writeManifest(imageManifest('x'))).digest).toBe(digestOf(imageManifest('x')));
  });

  test.each([false, true])('a registry that lies in OCI-Subject is found out when asked to: %s', async (confirm) => {
    await using registry = await startRegistry({ ociSubject: 'lie' });
    const source = openAt(registry.host, { options: { confirmReferrers: confirm } });
    const subject = await pushImage(source);
    await source.writeManifest(imageManifest('x', { subject, artifactType: 'a/b' }));
    expect(await source.listReferrers(subject.digest)).toHaveLength(confirm ? 1 : 0);
  });

  test('a refused list of referrers says that the artifact is stored but not found', async () => {
    await using registry = await startRegistry({ referrers: 'none', ociSubject: false });
    const source = openAt(registry.host);
    const subject = await pushImage(source);
    registry.behaviour.fault = ({ method, path }) =>
      method === 'PUT' && path.includes('/sha256-') ? problem(400, 'TAG_INVALID', 'immutable') : undefined;
    const error = await source.writeManifest(imageManifest('x', { subject })).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'REFERRERS_UPDATE_FAILED',
      message: expect.stringContaining('TAG_INVALID'),
      hint: expect.stringContaining('The artifact is stored'),
    });
  });

  test('writers that are told they were overtaken (412) lose nothing', async () => {
    await using registry = await startRegistry({ referrers: 'none', ociSubject: false, conditional: true });
    const subject = await pushImage(openAt(registry.host));
    const write = (at: number): Promise<unknown> =>
      openAt(registry.host).writeManifest(imageManifest(`r${at}`, { subject, artifactType: 'a/b' }));
    await Promise.all(Array.from({ length: 6 }, (_, at) => write(at)));
    expect(await openAt(registry.host).listReferrers(subject.digest)).toHaveLength(6);
    const writes = registry.requests.filter(({ method, path }) => method === 'PUT' && path.includes('/sha256-'));
    const conditions = writes.map(({ headers }) => headers['if-match'] ?? headers['if-none-match']);
    expect(conditions).toEqual(conditions.map(() => expect.stringMatching(/^(\*|"sha256:[0-9a-f]{64}")$/)));
  });
});

test('a warning of the registry is passed on once', async () => {
  await using registry = await startRegistry();
  const context = testContext();
  const source = openAt(registry.host, { suffix: ':1', context });
  await pushImage(openAt(registry.host));
  const headers = { warning: '299 - "this registry closes soon"', 'docker-content-digest': SOME_DIGEST };
  registry.behaviour.fault = () => ({ status: 200, headers });
  await source.resolve();
  await source.resolve();
  expect(context.events.filter(({ kind }) => kind === 'warning')).toEqual([
    { kind: 'warning', message: `${registry.host} says: this registry closes soon` },
  ]);
});
