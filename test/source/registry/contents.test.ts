import { describe, expect, test } from 'vitest';
import type { RegistryReference } from '../../../src/oci/reference.ts';
import { parseRegistryReference } from '../../../src/oci/reference.ts';
import type { WritableSource } from '../../../src/source/source.ts';
import { json, problem, type Answer } from '../../support/http-server.ts';
import { blobOf, codeOf, openAt, pushImage, SOME_DIGEST } from '../../support/open-registry.ts';
import { startRegistry } from '../../support/registry-server.ts';

describe('what a repository holds', () => {
  test('a manifest and a blob that are there are there, and others are not', async () => {
    await using registry = await startRegistry();
    const source = openAt(registry.host);
    const image = await pushImage(source);
    expect(await source.hasManifest?.(image.digest)).toBe(true);
    expect(await source.hasManifest?.(SOME_DIGEST)).toBe(false);
    expect(await source.hasBlob?.(blobOf('{}').descriptor)).toBe(true);
    expect(await source.hasBlob?.(blobOf('other').descriptor)).toBe(false);
    expect(await source.findTag?.('1')).toBe(image.digest);
    expect(await source.findTag?.('2')).toBeUndefined();
  });

  test.each([401, 403, 418])('an answer of %i is not "not there"', async (status) => {
    await using registry = await startRegistry({ fault: () => problem(status, 'NO') });
    const source = openAt(registry.host);
    const questions = [
      () => source.hasManifest?.(SOME_DIGEST),
      () => source.hasBlob?.(blobOf('x').descriptor),
      () => source.findTag?.('1'),
      () => source.listTags?.(),
    ];
    for (const ask of questions) expect(await codeOf(Promise.resolve(ask()))).toMatch(/^REGISTRY_/);
  });
});

describe('tags', () => {
  const page = (tags: unknown, link?: string): Answer =>
    json(200, { name: 'acme/app', tags }, link === undefined ? {} : { link });

  async function listed(pages: Readonly<Record<string, Answer>>): Promise<unknown> {
    await using registry = await startRegistry({
      fault: ({ path, query }) => (path.endsWith('/tags/list') ? pages[query.get('last') ?? ''] : undefined),
    });
    const tags = openAt(registry.host).listTags?.();
    return await tags?.catch((error: unknown) => (error as { code: string }).code);
  }

  test('are listed from all pages, sorted, each once', async () => {
    const next = '</v2/acme/app/tags/list?last=b>; rel="next"';
    expect(await listed({ '': page(['b', 'a'], next), b: page(['c', 'a']) })).toEqual(['a', 'b', 'c']);
  });

  test('of a repository that has none are none', async () => {
    expect(await listed({ '': page(null) })).toEqual([]);
  });

  test.each([
    ['pages in a circle', { '': page(['a'], '</v2/acme/app/tags/list>; rel="next"') }, 'REGISTRY_ERROR'],
    ['a page elsewhere', { '': page(['a'], '<http://127.0.0.2:1/x>; rel="next"') }, 'REGISTRY_UNSAFE'],
    ['a list that is none', { '': page('a') }, 'REGISTRY_ERROR'],
    ['a repository that is not there', { '': problem(404, 'NAME_UNKNOWN') }, 'NOT_FOUND'],
  ])('%s: an error', async (_, pages, code) => {
    expect(await listed(pages)).toBe(code);
  });
});

describe('a mount', () => {
  const from = (host: string, repository = 'acme/base'): RegistryReference =>
    parseRegistryReference(`${host}/${repository}`);
  const blob = blobOf('layer').descriptor;

  async function mount(
    fault: (method: string) => Answer | undefined,
    repository?: string,
  ): Promise<[unknown, readonly string[]]> {
    await using registry = await startRegistry({ fault: ({ method }) => fault(method) });
    const source: WritableSource = openAt(registry.host);
    const mounted = await source.mountBlob?.(blob, from(registry.host, repository));
    return [mounted, registry.lines().map((line) => line.replace(/\?.*/, ''))];
  }

  test('that the registry grants costs one request', async () => {
    expect(await mount(() => ({ status: 201 }))).toEqual([true, ['POST /v2/acme/app/blobs/uploads/']]);
  });

  test('that becomes an upload is cancelled, and the blob is to be written', async () => {
    const location = '/v2/acme/app/blobs/uploads/1?_state=x';
    const answer = (method: string): Answer =>
      method === 'POST' ? { status: 202, headers: { location } } : { status: 204 };
    expect(await mount(answer)).toEqual([
      false,
      ['POST /v2/acme/app/blobs/uploads/', 'DELETE /v2/acme/app/blobs/uploads/1'],
    ]);
  });

  test.each([400, 401, 403, 404, 405])('that is refused with %i leaves the blob to be written', async (status) => {
    expect((await mount(() => problem(status, 'NO')))[0]).toBe(false);
  });

  test('is not asked for within one repository, nor between registries', async () => {
    expect(await mount(() => ({ status: 201 }), 'acme/app')).toEqual([false, []]);
    await using registry = await startRegistry();
    expect(await openAt(registry.host).mountBlob?.(blob, from('other.example'))).toBe(false);
    expect(registry.requests).toEqual([]);
  });
});
