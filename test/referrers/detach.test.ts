import { describe, expect, test } from 'vitest';
import { isBoltsealError } from '../../src/base/errors.ts';
import { copyImage } from '../../src/referrers/copy.ts';
import { detachReferrer } from '../../src/referrers/detach.ts';
import { openLayout } from '../../src/source/layout.ts';
import { referrersTag } from '../../src/source/referrer-entry.ts';
import type { WritableSource } from '../../src/source/source.ts';
import { testContext } from '../support/context.ts';
import { buildReferrer, writeLayout } from '../support/image-builder.ts';
import { codeOf, openAt } from '../support/open-registry.ts';
import { allowDeletes, type DeleteBehaviour } from '../support/registry-delete.ts';
import {
  fallbackEntries,
  startRegistry,
  type RegistryBehaviour,
  type TestRegistry,
} from '../support/registry-server.ts';
import { buildSealedImage } from '../support/sealed-image.ts';
import { temporaryFolder } from '../support/tools.ts';

const context = testContext();
const sealed = buildSealedImage();
const second = buildReferrer(sealed.index, 'application/spdx+json', 'second');

const NO_API: Partial<RegistryBehaviour> = { referrers: 'none', ociSubject: false, checksIndexes: true };

async function sealedLayout(): Promise<WritableSource> {
  const path = temporaryFolder();
  writeLayout(path, [...sealed.listed, { image: second }]);
  return openLayout({ kind: 'layout', path, tag: '1' }, context);
}

async function fill(registry: TestRegistry, deletes: DeleteBehaviour): Promise<WritableSource> {
  const destination = openAt(registry.host, { suffix: ':1' });
  await copyImage({ source: await sealedLayout(), destination }, {}, context);
  allowDeletes(registry, deletes);
  registry.requests.length = 0;
  return destination;
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: unknown) => (isBoltsealError(error) ? `${error.code} ${error.message}` : String(error)),
  );
}

async function listed(source: WritableSource): Promise<readonly string[]> {
  return (await source.listReferrers(sealed.index.digest)).map(({ digest }) => digest).toSorted();
}

describe.each([
  ['with the referrers API', {}, 'any'],
  ['without it', NO_API, 'any'],
  ['without it, deleting by digest only', NO_API, 'by-digest'],
] as const)('at a registry %s', (_, behaviour, deletes) => {
  test('a referrer is removed and the others stay', async () => {
    await using registry = await startRegistry(behaviour);
    const target = await fill(registry, deletes);
    const removed = await detachReferrer(target, second.digest, { subject: sealed.index.digest }, context);
    expect(removed).toEqual([
      { digest: second.digest, subject: sealed.index.digest, artifactType: 'application/spdx+json' },
    ]);
    expect(await listed(target)).toEqual([sealed.sbom.digest]);
    expect(registry.manifests.has(second.digest)).toBe(false);
    expect(registry.manifests.has(sealed.index.digest)).toBe(true);
  });

  test('one that is signed itself goes with its signature, or not at all', async () => {
    await using registry = await startRegistry(behaviour);
    const target = await fill(registry, deletes);
    expect(await codeOf(detachReferrer(target, sealed.sbom.digest, {}, context))).toBe('USAGE');
    expect(registry.manifests.has(sealed.sbom.digest)).toBe(true);
    const removed = await detachReferrer(target, sealed.sbom.digest, { recursive: true }, context);
    expect(removed.map(({ digest }) => digest)).toEqual([sealed.sbomSignature.digest, sealed.sbom.digest]);
    expect(await listed(target)).toEqual([second.digest]);
  });
});

test('the list is changed before the manifest is deleted, and an empty list goes with its tag', async () => {
  await using registry = await startRegistry(NO_API);
  const target = await fill(registry, 'any');
  await detachReferrer(target, sealed.report.digest, {}, context);
  const writes = registry.lines().filter((line) => /^(PUT|DELETE)/.test(line));
  const tag = referrersTag(sealed.arm64.digest);
  expect(writes).toEqual([
    `PUT /v2/acme/app/manifests/${tag}`,
    `DELETE /v2/acme/app/manifests/${tag}`,
    `DELETE /v2/acme/app/manifests/${sealed.report.digest}`,
  ]);
  expect(registry.tags.has(tag)).toBe(false);
});

test('where deleting is switched off, the error says what was removed and what was not', async () => {
  await using registry = await startRegistry(NO_API);
  const target = await fill(registry, 'off');
  const message = await messageOf(detachReferrer(target, second.digest, {}, context));
  expect(message).toMatch(/^DELETE_REFUSED .*taken off the list of .*, but is still stored/);
  expect(fallbackEntries(registry, sealed.index.digest).map(({ digest }) => digest)).toEqual([sealed.sbom.digest]);
  await using other = await startRegistry();
  const withApi = await fill(other, 'off');
  expect(await messageOf(detachReferrer(withApi, second.digest, {}, context))).toMatch(
    /^DELETE_REFUSED .*it was not removed/,
  );
});

test('a registry that reads the tag of the list as the image never loses the image', async () => {
  await using registry = await startRegistry({ ...NO_API, dashTagIsDigest: true });
  const target = openAt(registry.host, { suffix: ':1' });
  for (const { descriptor, bytes } of [...sealed.amd64.blobs, ...second.blobs])
    await target.writeBlob(descriptor, () => bytes);
  const image = sealed.amd64;
  const referrer = buildReferrer(image, 'a/b');
  registry.manifests.set(image.digest, { bytes: Buffer.from(image.bytes), mediaType: image.descriptor.mediaType });
  registry.manifests.set(referrer.digest, {
    bytes: Buffer.from(referrer.bytes),
    mediaType: image.descriptor.mediaType,
  });
  allowDeletes(registry, 'any');
  await detachReferrer(target, referrer.digest, {}, context);
  expect(registry.lines().filter((line) => /^(PUT|DELETE) .*manifests/.test(line))).toEqual([
    `DELETE /v2/acme/app/manifests/${referrer.digest}`,
  ]);
  expect(registry.manifests.has(image.digest)).toBe(true);
});

test('a referrer of another image, and an image, are refused', async () => {
  await using registry = await startRegistry();
  const target = await fill(registry, 'any');
  const options = { subject: sealed.index.digest };
  expect(await codeOf(detachReferrer(target, sealed.report.digest, options, context))).toBe('USAGE');
  expect(await codeOf(detachReferrer(target, sealed.index.digest, {}, context))).toBe('USAGE');
  expect(registry.lines().filter((line) => line.startsWith('DELETE'))).toEqual([]);
});

test('in a layout a referrer goes from both of its lists', async () => {
  const layout = await sealedLayout();
  await layout.writeManifest(second.bytes);
  expect(await listed(layout)).toEqual([sealed.sbom.digest, second.digest].toSorted());
  await detachReferrer(layout, second.digest, {}, context);
  expect(await listed(layout)).toEqual([sealed.sbom.digest]);
  expect(await codeOf(layout.readManifest(second.digest))).toBe('NOT_FOUND');
  expect(await layout.resolve()).toBe(sealed.index.digest);
});
