import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { isBoltsealError } from '../../src/base/errors.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { copyImage, type CopyOptions } from '../../src/referrers/copy.ts';
import type { CopyResult } from '../../src/referrers/copy-result.ts';
import { openLayout } from '../../src/source/layout.ts';
import { createLayout } from '../../src/source/layout-writer.ts';
import type { WritableSource } from '../../src/source/source.ts';
import { referrersTag } from '../../src/source/referrer-entry.ts';
import { testContext } from '../support/context.ts';
import { buildImage, buildLayer, buildReferrer, writeLayout, type BuiltImage } from '../support/image-builder.ts';
import { problem } from '../support/http-server.ts';
import { openAt, SOME_DIGEST } from '../support/open-registry.ts';
import { putFallback, startRegistry, type RegistryBehaviour, type TestRegistry } from '../support/registry-server.ts';
import { buildSealedImage, type SealedImage } from '../support/sealed-image.ts';
import { temporaryFolder } from '../support/tools.ts';

const context = testContext();
const WRITES = /^(PUT|POST|PATCH|DELETE) /;

const KINDS: readonly (readonly [string, Partial<RegistryBehaviour>])[] = [
  ['with the referrers API', {}],
  ['without the referrers API', { referrers: 'none', ociSubject: false, checksIndexes: true }],
];

function layoutOf(sealed: SealedImage): Promise<WritableSource> {
  const path = temporaryFolder();
  writeLayout(path, sealed.listed);
  return openLayout({ kind: 'layout', path, tag: '1' }, context);
}

async function emptyLayout(tag?: string): Promise<WritableSource> {
  const path = join(temporaryFolder(), 'copy');
  await createLayout(path, context);
  return openLayout({ kind: 'layout', path, ...(tag === undefined ? {} : { tag }) }, context);
}

async function copy(
  source: WritableSource,
  destination: WritableSource,
  options: CopyOptions = {},
): Promise<CopyResult> {
  return copyImage({ source, destination }, options, context);
}

/** A registry that holds the image, put there by a copy from a layout. */
async function registryWith(sealed: SealedImage, behaviour: Partial<RegistryBehaviour> = {}): Promise<TestRegistry> {
  const registry = await startRegistry(behaviour);
  await copy(await layoutOf(sealed), openAt(registry.host, { suffix: ':1' }));
  registry.requests.length = 0;
  return registry;
}

async function expectSame(source: WritableSource, images: readonly BuiltImage[]): Promise<void> {
  for (const image of images) {
    const { bytes } = await source.readManifest(image.digest);
    expect(Buffer.from(bytes).equals(image.bytes)).toBe(true);
  }
}

async function referrersOf(source: WritableSource, subject: Digest): Promise<readonly Digest[]> {
  return (await source.listReferrers(subject)).map(({ digest }) => digest);
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: unknown) => (isBoltsealError(error) ? `${error.code} ${error.message}` : String(error)),
  );
}

describe.each(KINDS)('from a registry %s', (_from, from) => {
  describe.each(KINDS)('to a registry %s', (_to, to) => {
    test('everything that belongs to an image arrives, byte for byte, and is found from its subject', async () => {
      const sealed = buildSealedImage();
      await using a = await registryWith(sealed, from);
      await using b = await startRegistry(to);
      const destination = openAt(b.host, { suffix: ':release' });
      const result = await copy(openAt(a.host, { suffix: ':1' }), destination);
      expect(result.images).toEqual([{ digest: sealed.index.digest, tags: ['release'] }]);
      expect(new Set(result.manifests.map(({ digest }) => digest))).toEqual(
        new Set(sealed.all.map((one) => one.digest)),
      );
      expect(result.leftOut).toEqual([]);
      await expectSame(destination, sealed.all);
      expect(await referrersOf(destination, sealed.index.digest)).toEqual([sealed.sbom.digest]);
      expect(await referrersOf(destination, sealed.sbom.digest)).toEqual([sealed.sbomSignature.digest]);
      expect(await referrersOf(destination, sealed.arm64.digest)).toEqual([sealed.report.digest]);
      expect(await destination.findTag?.(sealed.cosignTag)).toBe(sealed.cosign.digest);
      const hasList = b.tags.has(referrersTag(sealed.index.digest));
      expect(hasList).toBe(to.referrers === 'none');
    });
  });

  test('a layout made of it holds the same, offline', async () => {
    const sealed = buildSealedImage();
    const layout = await emptyLayout('kept');
    {
      await using registry = await registryWith(sealed, from);
      await copy(openAt(registry.host, { suffix: ':1' }), layout);
    }
    expect(await layout.resolve()).toBe(sealed.index.digest);
    await expectSame(layout, sealed.all);
    expect(await referrersOf(layout, sealed.index.digest)).toEqual([sealed.sbom.digest]);
    expect(await referrersOf(layout, sealed.sbom.digest)).toEqual([sealed.sbomSignature.digest]);
    expect(await layout.listTags?.()).toContain(sealed.cosignTag);
  });
});

test('a layout without a tag holds one image, however many platforms it has', async () => {
  const sealed = buildSealedImage();
  const layout = await emptyLayout();
  await copy(await layoutOf(sealed), layout, { includeReferrers: false });
  expect(await layout.resolve()).toBe(sealed.index.digest);
});

test('a manifest is written after its blobs, its children and its subject, and the tag last', async () => {
  const sealed = buildSealedImage();
  await using registry = await startRegistry();
  await copy(await layoutOf(sealed), openAt(registry.host, { suffix: ':1' }));
  const puts = registry.lines().filter((line) => line.startsWith('PUT'));
  const at = (image: BuiltImage): number => puts.findIndex((line) => line.endsWith(`/manifests/${image.digest}`));
  const lastBlob = puts.findLastIndex((line) => line.includes('/blobs/'));
  expect(lastBlob).toBeLessThan(Math.min(...sealed.all.map(at)));
  for (const child of [sealed.amd64, sealed.arm64, sealed.attestation])
    expect(at(child)).toBeLessThan(at(sealed.index));
  expect(at(sealed.index)).toBeLessThan(at(sealed.sbom));
  expect(at(sealed.sbom)).toBeLessThan(at(sealed.sbomSignature));
  expect(puts.at(-1)).toMatch(/\/manifests\/1$/);
});

test.each(KINDS)('a second copy to a registry %s writes nothing', async (_, behaviour) => {
  const sealed = buildSealedImage();
  await using registry = await registryWith(sealed, behaviour);
  const result = await copy(await layoutOf(sealed), openAt(registry.host, { suffix: ':1' }));
  expect(registry.lines().filter((line) => WRITES.test(line))).toEqual([]);
  expect(result.manifests.every(({ outcome }) => outcome === 'present')).toBe(true);
});

/** Waits until the server has taken in, or given up, what was on its way to it. */
async function quiet({ requests, blobs }: TestRegistry): Promise<void> {
  const seen = (): number => requests.length + blobs.size;
  for (let still = 0, last = seen(); still < 5; last = seen()) {
    await sleep(100);
    still = seen() === last ? still + 1 : 0;
  }
}

test('a copy that broke off is finished by the next, which sends no large blob twice', async () => {
  const layers = Array.from({ length: 6 }, (_, at) => buildLayer([{ path: `${at}`, body: randomBytes(300_000) }]));
  const image = buildImage({ layers });
  const path = temporaryFolder();
  writeLayout(path, [{ image, tag: '1' }]);
  const source = await openLayout({ kind: 'layout', path, tag: '1' }, context);
  await using registry = await startRegistry();
  let uploads = 0;
  registry.behaviour.fault = ({ method }) => {
    if (method === 'PUT') uploads += 1;
    return method === 'PUT' && uploads > 3 ? problem(400, 'BLOB_UPLOAD_INVALID') : undefined;
  };
  const destination = openAt(registry.host, { suffix: ':1' });
  expect(await messageOf(copy(source, destination))).toMatch(/^REGISTRY_ERROR writing the destination: /);
  expect(registry.tags.size).toBe(0);
  await quiet(registry);
  const sent = layers.map(({ descriptor }) => descriptor.digest).filter((digest) => registry.blobs.has(digest));
  expect(sent.length).toBeGreaterThan(0);
  registry.behaviour.fault = () => undefined;
  registry.requests.length = 0;
  const result = await copy(source, destination);
  // The configuration is small: whether it went before the break is a matter of timing, and sending it again is cheap.
  const large = new Set(layers.map(({ descriptor }) => descriptor.digest));
  const present = result.blobs.filter(({ digest, outcome }) => outcome === 'present' && large.has(digest));
  expect(present.map(({ digest }) => digest).toSorted()).toEqual(sent.toSorted());
  const puts = registry.lines().filter((line) => line.startsWith('PUT') && line.includes('/blobs/'));
  expect(puts).toHaveLength(layers.length - present.length);
  await expectSame(destination, [image]);
});

test('a referrer that was stored but never listed is listed by the next copy', async () => {
  const sealed = buildSealedImage();
  await using registry = await registryWith(sealed, { referrers: 'none', ociSubject: false });
  registry.tags.delete(referrersTag(sealed.index.digest));
  const destination = openAt(registry.host, { suffix: ':1' });
  const result = await copy(await layoutOf(sealed), destination);
  const copied = result.manifests.filter(({ outcome }) => outcome === 'copied').map(({ digest }) => digest);
  expect(copied).toEqual([sealed.sbom.digest]);
  expect(await referrersOf(destination, sealed.index.digest)).toEqual([sealed.sbom.digest]);
});

test('a destination that takes referrers and does not list them fails the copy', async () => {
  const sealed = buildSealedImage();
  await using liar = await startRegistry({ ociSubject: 'lie' });
  const message = await messageOf(copy(await layoutOf(sealed), openAt(liar.host, { suffix: ':1' })));
  expect(message).toMatch(/^COPY_INCOMPLETE /);
  expect(message).toContain(`not among the referrers of ${sealed.index.digest}`);
});

test('a damaged blob of the source fails the copy before a manifest is written, and the error says which side', async () => {
  const sealed = buildSealedImage();
  await using a = await registryWith(sealed);
  await using b = await startRegistry();
  const [, layer] = sealed.amd64.blobs;
  const digest = layer?.descriptor.digest ?? SOME_DIGEST;
  const bytes = Buffer.from(layer?.bytes ?? []);
  a.blobs.set(digest, Buffer.concat([bytes.subarray(1), Buffer.from('x')]));
  const message = await messageOf(copy(openAt(a.host, { suffix: ':1' }), openAt(b.host, { suffix: ':1' })));
  expect(message).toMatch(/^DIGEST_MISMATCH reading the source: /);
  expect(b.manifests.size).toBe(0);
  expect(b.blobs.has(digest)).toBe(false);
});

test('a list that names what is gone, or what refers to something else, is told and not copied', async () => {
  const sealed = buildSealedImage();
  await using a = await registryWith(sealed, { referrers: 'none', ociSubject: false });
  await using b = await startRegistry();
  const entry = ({ digest, descriptor }: BuiltImage): unknown => ({ ...descriptor, digest });
  const gone = { ...sealed.sbom.descriptor, digest: SOME_DIGEST };
  putFallback(a, sealed.index.digest, [entry(sealed.sbom), entry(sealed.report), gone, entry(sealed.index)]);
  putFallback(a, sealed.amd64.digest, [entry(sealed.cosign)]);
  a.tags.delete(sealed.cosignTag);
  const result = await copy(openAt(a.host, { suffix: ':1' }), openAt(b.host, { suffix: ':1' }));
  expect(result.leftOut.map(({ digest }) => digest).toSorted()).toEqual([SOME_DIGEST, sealed.cosign.digest].toSorted());
  expect(await referrersOf(openAt(b.host), sealed.index.digest)).toEqual([sealed.sbom.digest]);
});

test.each([401, 403, 500])(
  'a source that answers %i to a question for referrers fails the copy',
  async (status) => {
    const sealed = buildSealedImage();
    await using a = await registryWith(sealed);
    await using b = await startRegistry();
    a.behaviour.fault = ({ path }) => (path.includes('/referrers/') ? problem(status, 'NO') : undefined);
    const message = await messageOf(copy(openAt(a.host, { suffix: ':1' }), openAt(b.host, { suffix: ':1' })));
    expect(message).toContain('reading the source: ');
    expect(b.lines().filter((line) => WRITES.test(line))).toEqual([]);
  },
  30_000,
);

test('a dry run says what is missing and writes nothing', async () => {
  const sealed = buildSealedImage();
  await using registry = await startRegistry();
  const destination = openAt(registry.host, { suffix: ':1' });
  const planned = await copy(await layoutOf(sealed), destination, { dryRun: true });
  expect(planned.manifests.map(({ outcome }) => outcome)).toEqual(sealed.all.map(() => 'missing'));
  expect(registry.lines().filter((line) => WRITES.test(line))).toEqual([]);
  await copy(await layoutOf(sealed), destination);
  const again = await copy(await layoutOf(sealed), destination, { dryRun: true });
  expect(again.manifests.map(({ outcome }) => outcome)).toEqual(sealed.all.map(() => 'present'));
});

test('one platform comes with its own referrers and without the index', async () => {
  const sealed = buildSealedImage();
  await using registry = await startRegistry();
  const destination = openAt(registry.host, { suffix: ':arm' });
  const result = await copy(await layoutOf(sealed), destination, { choose: async () => sealed.arm64.digest });
  expect(result.manifests.map(({ digest }) => digest)).toEqual([sealed.arm64.digest, sealed.report.digest]);
  expect(result.leftOut.map(({ digest }) => digest)).toEqual([sealed.index.digest]);
  expect(await destination.resolve()).toBe(sealed.arm64.digest);
  expect(registry.manifests.has(sealed.index.digest)).toBe(false);
});

test('without referrers an image comes with its children only', async () => {
  const sealed = buildSealedImage();
  await using registry = await startRegistry();
  const result = await copy(await layoutOf(sealed), openAt(registry.host), { includeReferrers: false });
  const { index, amd64, arm64, attestation } = sealed;
  expect(new Set(result.manifests.map(({ digest }) => digest))).toEqual(
    new Set([index, amd64, arm64, attestation].map(({ digest }) => digest)),
  );
});

describe('tags', () => {
  async function twoTags(): Promise<{ source: WritableSource; one: SealedImage; two: BuiltImage }> {
    const one = buildSealedImage();
    const two = buildImage({ layers: [buildLayer([{ path: 'two', body: '2' }])] });
    const path = temporaryFolder();
    writeLayout(path, [...one.listed, { image: two, tag: '2' }, { image: two, tag: 'latest' }]);
    return { source: await openLayout({ kind: 'layout', path }, context), one, two };
  }

  test('several tags are copied under their names', async () => {
    const { source, two } = await twoTags();
    await using registry = await startRegistry();
    const result = await copy(source, openAt(registry.host), { tags: ['2', 'latest'] });
    expect(result.images).toEqual([{ digest: two.digest, tags: ['2', 'latest'] }]);
    expect([...registry.tags.keys()].toSorted()).toEqual(['2', 'latest']);
  });

  test('an image that is there already gets the new tag, and keeps the old', async () => {
    const { source, two } = await twoTags();
    await using registry = await startRegistry();
    await copy(source, openAt(registry.host), { tags: ['2'] });
    await copy(source, openAt(registry.host), { tags: ['latest'] });
    expect([...registry.tags]).toEqual([
      ['2', two.digest],
      ['latest', two.digest],
    ]);
  });

  test('all tags are copied, but not the lists of referrers that clients keep as tags', async () => {
    const { source, one, two } = await twoTags();
    await source.writeBlob(buildReferrer(two, 'a/b').blobs[0]?.descriptor ?? two.descriptor, () => Buffer.from('{}'));
    await using registry = await startRegistry();
    await copy(source, openAt(registry.host), { tags: 'all' });
    expect([...registry.tags.keys()].toSorted()).toEqual(['1', '2', 'latest', one.cosignTag].toSorted());
  });

  test('a tag that is not there fails the copy before anything is written', async () => {
    const { source } = await twoTags();
    await using registry = await startRegistry();
    expect(await messageOf(copy(source, openAt(registry.host), { tags: ['2', 'nope'] }))).toContain('no tag "nope"');
    expect(registry.requests).toEqual([]);
  });

  test('a destination that is named by another digest than the image has is refused', async () => {
    const { source } = await twoTags();
    await using registry = await startRegistry();
    const destination = openAt(registry.host, { suffix: `@${SOME_DIGEST}` });
    expect(await messageOf(copy(source, destination, { tags: ['2'] }))).toMatch(/^USAGE the destination names/);
  });
});

test('copies of many images to one registry at the same time lose no referrer', async () => {
  const images = ['a', 'b', 'c', 'd'].map((name) => buildSealedImage(name));
  await using registry = await startRegistry({ referrers: 'none', ociSubject: false, checksIndexes: true });
  await Promise.all(
    images.flatMap((sealed) =>
      ['x', 'y'].map(async (tag) =>
        copy(await layoutOf(sealed), openAt(registry.host, { suffix: `:${sealed.index.digest.slice(7, 17)}${tag}` })),
      ),
    ),
  );
  for (const sealed of images) {
    expect(await referrersOf(openAt(registry.host), sealed.index.digest)).toEqual([sealed.sbom.digest]);
    expect(await referrersOf(openAt(registry.host), sealed.sbom.digest)).toEqual([sealed.sbomSignature.digest]);
  }
}, 30_000);

test('layers that may not be distributed stay where they are', async () => {
  const foreign = buildLayer([{ path: 'windows', body: 'x' }]);
  const descriptor = {
    ...foreign.descriptor,
    mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    urls: ['https://example.com/layer'],
  };
  const image = buildImage({ layers: [{ ...foreign, descriptor }] });
  const path = temporaryFolder();
  writeLayout(path, [{ image, tag: '1' }]);
  await using registry = await startRegistry();
  const result = await copy(await openLayout({ kind: 'layout', path, tag: '1' }, context), openAt(registry.host));
  expect(result.leftOut).toMatchObject([{ digest: descriptor.digest }]);
  expect(registry.blobs.has(descriptor.digest)).toBe(false);
});

test('a small image of 20 layers takes few requests', async () => {
  const layers = Array.from({ length: 20 }, (_, at) => buildLayer([{ path: `layer${at}`, body: `${at}` }]));
  const path = temporaryFolder();
  writeLayout(path, [{ image: buildImage({ layers }), tag: '1' }]);
  await using a = await startRegistry();
  await using b = await startRegistry();
  await copy(await openLayout({ kind: 'layout', path, tag: '1' }, context), openAt(a.host, { suffix: ':1' }));
  a.requests.length = 0;
  await copy(openAt(a.host, { suffix: ':1' }), openAt(b.host, { suffix: ':1' }));
  process.stderr.write(
    `20 layers: ${a.requests.length} requests to the source, ${b.requests.length} to the destination\n`,
  );
  // A name, a manifest, its referrers, three cosign tags; one or two requests for each new blob, and the manifest.
  expect(a.requests.length).toBeLessThanOrEqual(21 + 7);
  expect(b.requests.length).toBeLessThanOrEqual(2 * 21 + 3);
});
