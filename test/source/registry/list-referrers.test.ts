import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { referrersTag } from '../../../src/source/referrer-entry.ts';
import { nextLink } from '../../../src/source/registry/link.ts';
import type { Descriptor } from '../../../src/oci/descriptor.ts';
import type { WritableSource } from '../../../src/source/source.ts';
import { problem, type Answer } from '../../support/http-server.ts';
import { codeOf, imageManifest, openAt, pushImage } from '../../support/open-registry.ts';
import { putFallback, startRegistry } from '../../support/registry-server.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const TYPE = 'application/vnd.example+json';

async function refer(
  source: WritableSource,
  subject: Descriptor,
  name: string,
  artifactType = TYPE,
): Promise<Descriptor> {
  return source.writeManifest(imageManifest(name, { subject, artifactType }));
}

describe('an answer that means there is no referrers API', () => {
  const answers: readonly (readonly [string, Answer])[] = [
    ['a plain 404', { status: 404, body: '404 page not found' }],
    ['an HTML 404', { status: 404, headers: { 'content-type': 'text/html' }, body: '<html>' }],
    ['404 MANIFEST_UNKNOWN', problem(404, 'MANIFEST_UNKNOWN')],
    ['400', problem(400, 'MANIFEST_INVALID')],
    ['405', problem(405, 'UNSUPPORTED')],
    ['406', { status: 406 }],
    ['501', { status: 501 }],
    ['an HTML page', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' }],
    ['another JSON type', { status: 200, headers: { 'content-type': 'application/json' }, body: '{"manifests":[]}' }],
    ['a redirect to a web site', { status: 303, headers: { location: 'http://127.0.0.2:1/packages' } }],
    ['404 NAME_UNKNOWN while the tag is there', problem(404, 'NAME_UNKNOWN')],
  ];
  test.each(answers)('%s: the fallback tag is read', async (_, answer) => {
    await using registry = await startRegistry({ referrers: answer, ociSubject: false });
    const source = openAt(registry.host);
    const image = await pushImage(source);
    expect(await source.listReferrers(image.digest)).toEqual([]);
    const entry = { ...image, digest: digestOf('other'), artifactType: TYPE };
    putFallback(registry, image.digest, [entry]);
    expect(await source.listReferrers(image.digest)).toEqual([entry]);
  });
});

describe.concurrent('an answer that means it could not be found out', () => {
  test.each([
    [{ status: 401 }, 'REGISTRY_UNAUTHORIZED'],
    [{ status: 403 }, 'REGISTRY_DENIED'],
    [{ status: 429, headers: { 'retry-after': '3600' } }, 'REGISTRY_RATE_LIMITED'],
    [{ status: 418 }, 'REGISTRY_ERROR'],
    [{ status: 200, headers: { 'content-type': INDEX }, body: 'not json' }, 'JSON_INVALID'],
    [{ status: 200, headers: { 'content-type': INDEX }, body: '{"schemaVersion":2}' }, 'MANIFEST_INVALID'],
  ] as const)('%j is never "no referrers"', async (answer, code) => {
    await using registry = await startRegistry({ referrers: answer });
    const image = await pushImage(openAt(registry.host));
    expect(await codeOf(openAt(registry.host).listReferrers(image.digest))).toBe(code);
  });

  test('503 is asked again, then an error', async () => {
    await using registry = await startRegistry({ referrers: { status: 503 } });
    const source = openAt(registry.host);
    const image = await pushImage(source);
    expect(await codeOf(source.listReferrers(image.digest))).toBe('REGISTRY_ERROR');
    expect(registry.lines().filter((line) => line.includes('/referrers/')).length).toBe(5);
  });

  test.each([401, 403, 429])('the API is absent and the fallback tag answers %i', async (status) => {
    await using registry = await startRegistry({ referrers: 'none' });
    const source = openAt(registry.host);
    const image = await pushImage(source);
    registry.behaviour.fault = ({ path }) =>
      path.includes('/sha256-') ? { status, headers: { 'retry-after': '999' } } : undefined;
    expect(await codeOf(source.listReferrers(image.digest))).toMatch(/^REGISTRY_/);
  });

  test('a repository that neither the API nor the tag knows is not found', async () => {
    await using registry = await startRegistry({ fault: () => problem(404, 'NAME_UNKNOWN') });
    expect(await codeOf(openAt(registry.host).listReferrers(digestOf('x')))).toBe('NOT_FOUND');
  });
});

describe('pages', () => {
  test.each(['relative', 'absolute', 'unquoted'] as const)('are followed by a %s link', async (link) => {
    await using registry = await startRegistry({ pageSize: 2, link });
    const source = openAt(registry.host);
    const image = await pushImage(source);
    for (const name of ['a', 'b', 'c', 'd', 'e']) await refer(source, image, name);
    expect(await source.listReferrers(image.digest)).toHaveLength(5);
  });

  test.each([
    ['circle', 'REGISTRY_ERROR'],
    ['elsewhere', 'REGISTRY_UNSAFE'],
  ] as const)('that go in a %s are refused', async (link, code) => {
    await using registry = await startRegistry({ pageSize: 2, link });
    const source = openAt(registry.host);
    const image = await pushImage(source);
    for (const name of ['a', 'b', 'c']) await refer(source, image, name);
    expect(await codeOf(source.listReferrers(image.digest))).toBe(code);
  });

  test.each([404, 200])('an answer of %i in the middle is an error, not the end', async (status) => {
    await using registry = await startRegistry({ pageSize: 2 });
    const source = openAt(registry.host);
    const image = await pushImage(source);
    for (const name of ['a', 'b', 'c']) await refer(source, image, name);
    registry.behaviour.fault = ({ query }) => (query.has('from') ? { status } : undefined);
    expect(await codeOf(source.listReferrers(image.digest))).toBe('REGISTRY_ERROR');
  });
});

describe('an artifact type', () => {
  test.each([true, false, 'silently'] as const)('narrows the list when the registry filters: %s', async (filters) => {
    await using registry = await startRegistry({ filters });
    const source = openAt(registry.host);
    const image = await pushImage(source);
    const wanted = await refer(source, image, 'a');
    await refer(source, image, 'b', 'application/other');
    const before = registry.lines().length;
    const found = await source.listReferrers(image.digest, { artifactType: TYPE });
    expect(found.map(({ digest }) => digest)).toEqual([wanted.digest]);
    expect(registry.lines().slice(before)).toEqual([
      expect.stringContaining('artifactType=application%2Fvnd.example%2Bjson'),
    ]);
  });

  test.each([true, 'silently'] as const)(
    'that hides all entries is asked for again without it: %s',
    async (filters) => {
      await using registry = await startRegistry({ filters });
      const source = openAt(registry.host);
      const image = await pushImage(source);
      const unknown = await refer(source, image, 'a', 'application/vnd.oci.empty.v1+json');
      const found = await source.listReferrers(image.digest, { artifactType: TYPE });
      expect(found.map(({ digest }) => digest)).toEqual([unknown.digest]);
    },
  );

  test('an API that has nothing is completed by the fallback tag', async () => {
    await using registry = await startRegistry();
    const source = openAt(registry.host);
    const image = await pushImage(source);
    const entry = { ...image, digest: digestOf('old'), artifactType: TYPE };
    putFallback(registry, image.digest, [entry]);
    expect(await source.listReferrers(image.digest, { artifactType: TYPE })).toEqual([entry]);
    expect(await source.listReferrers(image.digest, { artifactType: 'application/other' })).toEqual([]);
  });
});

test('a list under the fallback tag that refers to something itself is ignored with a warning', async () => {
  await using registry = await startRegistry({ referrers: 'none' });
  const source = openAt(registry.host);
  const image = await pushImage(source);
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [image], subject: image }));
  registry.manifests.set(digestOf(bytes), { bytes, mediaType: INDEX });
  registry.tags.set(referrersTag(image.digest), digestOf(bytes));
  expect(await source.listReferrers(image.digest)).toEqual([]);
});

test('the fallback tag of a sha512 digest is cut to what a tag can hold', () => {
  const digest = digestOf('x', 'sha512');
  expect(referrersTag(digest)).toBe(`sha512-${digest.slice(7, 71)}`);
  expect(referrersTag(digestOf('x'))).toBe(digestOf('x').replace(':', '-'));
});

test.each([
  ['<a>; rel="next"', 'a'],
  ['<a>; rel=next', 'a'],
  ['<a>; rel="prev", <b?x=1,2>; rel="next"', 'b?x=1,2'],
  ['<a>; title="x; rel=next", <b>; rel="last next"', 'b'],
  ['<a>; rel="nextish"', undefined],
  ['<a>', undefined],
  ['', undefined],
])('the next page of %s is %s', (header, target) => {
  expect(nextLink(header)).toBe(target);
});
