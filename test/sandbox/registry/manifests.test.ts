import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { EMPTY_DESCRIPTOR } from '../../../src/oci/manifest.ts';
import { MEDIA_TYPES } from '../../../src/oci/media-types.ts';
import { startRegistry } from '../../../src/sandbox/registry/registry.ts';
import { testContext } from '../../support/context.ts';
import { artifact, registryClient, type RegistryClient } from '../../support/registry-client.ts';

let directory: string;
let registry: Awaited<ReturnType<typeof startRegistry>>;
let client: RegistryClient;
let repositories = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'boltseal-registry-'));
  registry = await startRegistry({ directory, port: 0, referrersPerPage: 2 }, testContext());
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});
beforeEach(async () => {
  repositories += 1;
  client = registryClient(registry.url, `repo${repositories}`);
  await client.pushBlob('{}');
});

describe('a manifest', () => {
  test('is kept byte for byte, under its digest and its tag', async () => {
    const { digest, bytes, response } = await client.pushManifest(artifact(), { reference: 'v1' });
    expect([response.status, response.headers.get('docker-content-digest')]).toEqual([201, digest]);
    for (const reference of ['v1', digest]) {
      const pulled = await client.send('GET', `manifests/${reference}`);
      expect([await pulled.text(), pulled.headers.get('content-type')]).toEqual([bytes, MEDIA_TYPES.ociManifest]);
      const head = await client.send('HEAD', `manifests/${reference}`);
      expect([head.status, head.headers.get('content-length')]).toEqual([200, String(bytes.length)]);
    }
  });

  test('may be named by sha512', async () => {
    const bytes = JSON.stringify(artifact());
    const reference = digestOf(bytes, 'sha512');
    expect((await client.pushManifest(artifact(), { reference })).response.status).toBe(201);
    expect((await client.send('HEAD', `manifests/${reference}`)).status).toBe(200);
  });

  test.for([
    ['another digest than its own', artifact(), { reference: digestOf('another') }, 'DIGEST_INVALID', 400],
    ['a tag that is none', artifact(), { reference: '-v1' }, 'TAG_INVALID', 400],
    ['a type that is no manifest', artifact(), { contentType: 'application/json' }, 'MANIFEST_INVALID', 415],
    ['another type than its body says', artifact(), { contentType: MEDIA_TYPES.ociIndex }, 'MANIFEST_INVALID', 400],
    ['a blob that is not here', artifact({ layers: [missing('x')] }), {}, 'MANIFEST_BLOB_UNKNOWN', 400],
    ['both layers and manifests', artifact({ manifests: [] }), {}, 'MANIFEST_INVALID', 400],
    ['more than 4 MiB', artifact({ annotations: { a: 'x'.repeat(4 << 20) } }), {}, 'SIZE_INVALID', 413],
  ] as const)('is refused with %s', async ([, manifest, options, code, status]) => {
    const { response } = await client.pushManifest(manifest, options);
    expect([response.status, await codeOf(response)]).toEqual([status, code]);
  });

  test('whose layer is fetched from elsewhere needs no blob', async () => {
    const layers = [{ ...missing('foreign'), urls: ['https://elsewhere.example/layer'] }];
    expect((await client.pushManifest(artifact({ layers }))).response.status).toBe(201);
  });

  test('of an index is taken when its manifests are here, and not before', async () => {
    const child = JSON.stringify(artifact());
    const descriptor = { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf(child), size: child.length };
    const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [descriptor] };
    expect(await codeOf((await client.pushManifest(index)).response)).toBe('MANIFEST_BLOB_UNKNOWN');
    await client.pushManifest(artifact());
    expect((await client.pushManifest(index)).response.status).toBe(201);
  });

  test('can be deleted by digest, with the tags that name it', async () => {
    const { digest } = await client.pushManifest(artifact(), { reference: 'v1' });
    expect((await client.send('DELETE', `manifests/${digest}`)).status).toBe(202);
    expect(await codeOf(await client.send('GET', 'manifests/v1'))).toBe('MANIFEST_UNKNOWN');
    expect((await client.send('DELETE', `manifests/${digest}`)).status).toBe(404);
  });

  test('stays when only its tag is deleted', async () => {
    const { digest } = await client.pushManifest(artifact(), { reference: 'v1' });
    expect((await client.send('DELETE', 'manifests/v1')).status).toBe(202);
    expect((await client.send('HEAD', 'manifests/v1')).status).toBe(404);
    expect((await client.send('HEAD', `manifests/${digest}`)).status).toBe(200);
  });

  test('of a repository nobody pushed to is NAME_UNKNOWN', async () => {
    expect(await codeOf(await client.send('GET', '../absent/manifests/v1'))).toBe('NAME_UNKNOWN');
  });
});

describe('the list of tags', () => {
  test('is sorted, and comes in pages that link to the next', async () => {
    for (const reference of ['c', 'a', 'b']) await client.pushManifest(artifact(), { reference });
    expect(await tagsAt('tags/list')).toMatchObject({ tags: ['a', 'b', 'c'], next: undefined });
    const { tags, next = '' } = await tagsAt('tags/list?n=2');
    expect(tags).toEqual(['a', 'b']);
    expect(await tagsAt(next)).toEqual({ tags: ['c'], next: undefined });
    expect(await tagsAt('tags/list?n=0')).toEqual({ tags: [], next: undefined });
    expect(await tagsAt('tags/list?last=a')).toMatchObject({ tags: ['b', 'c'] });
  });

  test('of a repository nobody pushed to is NAME_UNKNOWN, and a page of "x" tags is refused', async () => {
    expect((await client.send('GET', '../absent/tags/list')).status).toBe(404);
    await client.pushManifest(artifact(), { reference: 'a' });
    expect((await client.send('GET', 'tags/list?n=x')).status).toBe(400);
  });
});

describe('referrers', () => {
  const subject = { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf('an image'), size: 8 };

  test('are listed with type, size and annotations; the push says so', async () => {
    const pushed = await client.pushManifest(artifact({ subject, annotations: { who: 'me' } }));
    expect(pushed.response.headers.get('oci-subject')).toBe(subject.digest);
    const { type, manifests } = await referrersAt(`referrers/${subject.digest}`);
    expect(type).toBe(MEDIA_TYPES.ociIndex);
    expect(manifests).toEqual([
      {
        mediaType: MEDIA_TYPES.ociManifest,
        digest: pushed.digest,
        size: pushed.bytes.length,
        artifactType: 'application/vnd.example',
        annotations: { who: 'me' },
      },
    ]);
  });

  test('of a manifest without artifactType have that of its config; of an index, none', async () => {
    const { artifactType: _dropped, ...untyped } = artifact({ subject }) as { artifactType: string };
    await client.pushManifest(untyped);
    await client.pushManifest({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [], subject });
    const { manifests } = await referrersAt(`referrers/${subject.digest}`);
    expect(manifests.map(({ artifactType }) => artifactType)).toEqual([MEDIA_TYPES.ociEmpty, undefined]);
  });

  test('are filtered by type when asked, and the answer says that it did', async () => {
    await client.pushManifest(artifact({ subject }));
    await client.pushManifest(artifact({ subject, artifactType: 'application/vnd.other+json' }));
    const all = await referrersAt(`referrers/${subject.digest}`);
    const some = await referrersAt(`referrers/${subject.digest}?artifactType=application/vnd.other%2Bjson`);
    expect([all.manifests.length, all.filters]).toEqual([2, null]);
    expect([some.manifests.length, some.filters]).toEqual([1, 'artifactType']);
    expect((await referrersAt(`referrers/${subject.digest}?artifactType=none`)).manifests).toEqual([]);
  });

  test('come in pages that keep the filter', async () => {
    for (const at of ['1', '2', '3']) await client.pushManifest(artifact({ subject, annotations: { at } }));
    const first = await referrersAt(`referrers/${subject.digest}?artifactType=application/vnd.example`);
    expect(first.manifests).toHaveLength(2);
    const second = await referrersAt(first.next ?? '');
    expect([second.manifests.length, second.filters, second.next]).toEqual([1, 'artifactType', undefined]);
  });

  test('of what nobody refers to are an empty list; of a malformed digest, an error', async () => {
    expect((await referrersAt(`referrers/${digestOf('lonely')}`)).manifests).toEqual([]);
    expect((await client.send('GET', 'referrers/sha256:abc')).status).toBe(400);
  });

  test('are gone when they are deleted', async () => {
    const { digest } = await client.pushManifest(artifact({ subject }));
    await client.send('DELETE', `manifests/${digest}`);
    expect((await referrersAt(`referrers/${subject.digest}`)).manifests).toEqual([]);
  });

  test('are 404, and the push is silent, in a registry without the API', async () => {
    const folder = join(directory, 'old');
    await using old = await startRegistry({ directory: folder, port: 0, referrersApi: false }, testContext());
    const oldClient = registryClient(old.url, 'app');
    await oldClient.pushBlob('{}');
    const { response } = await oldClient.pushManifest(artifact({ subject }));
    expect([response.status, response.headers.get('oci-subject')]).toEqual([201, null]);
    expect((await oldClient.send('GET', `referrers/${subject.digest}`)).status).toBe(404);
  });
});

function missing(content: string): object {
  return { ...EMPTY_DESCRIPTOR, digest: digestOf(content), size: content.length };
}

async function tagsAt(path: string): Promise<{ tags: readonly string[]; next: string | undefined }> {
  const response = await client.send('GET', path);
  const { tags } = (await response.json()) as { tags: readonly string[] };
  return { tags, next: nextOf(response) };
}

interface ReferrersPage {
  readonly manifests: readonly { readonly digest: string; readonly artifactType?: string }[];
  readonly type: string | null;
  readonly filters: string | null;
  readonly next: string | undefined;
}

async function referrersAt(path: string): Promise<ReferrersPage> {
  const response = await client.send('GET', path);
  expect(response.status).toBe(200);
  const { manifests } = (await response.json()) as Pick<ReferrersPage, 'manifests'>;
  const { headers } = response;
  return {
    manifests,
    type: headers.get('content-type'),
    filters: headers.get('oci-filters-applied'),
    next: nextOf(response),
  };
}

function nextOf({ headers }: Response): string | undefined {
  return /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
}

async function codeOf(response: Response): Promise<string | undefined> {
  const body = (await response.json()) as { errors?: readonly { code: string }[] };
  return body.errors?.[0]?.code;
}
