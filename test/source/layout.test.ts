import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf, encodedOf } from '../../src/oci/digest.ts';
import type { LayoutReference } from '../../src/oci/reference.ts';
import { openLayout } from '../../src/source/layout.ts';
import { writeError } from '../../src/source/file-error.ts';
import { createLayout } from '../../src/source/layout-writer.ts';
import { testContext } from '../support/context.ts';
import { buildImage, buildIndex, buildLayer, buildReferrer, content, writeLayout } from '../support/image-builder.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'boltseal-layout-'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

let count = 0;
const freshFolder = (): string => join(root, String((count += 1)));
const layoutOf = (path: string, named: Partial<LayoutReference> = {}): LayoutReference => ({
  kind: 'layout',
  path,
  ...named,
});
const layer = buildLayer([{ path: 'a', body: 'x' }]);
const one = buildImage({ layers: [layer] });
const two = buildImage({ layers: [layer], config: { created: '2026-01-01T00:00:00Z' } });

async function resolve(path: string, named: Partial<LayoutReference> = {}): Promise<string> {
  return (await openLayout(layoutOf(path, named), testContext())).resolve();
}

describe('resolving', () => {
  test('a single image needs no name, with or without a tag of its own', async () => {
    const [untagged, tagged] = [freshFolder(), freshFolder()];
    writeLayout(untagged, [{ image: one }]);
    writeLayout(tagged, [{ image: one, tag: 'v1' }]);
    await expect(resolve(untagged)).resolves.toBe(one.digest);
    await expect(resolve(tagged)).resolves.toBe(one.digest);
  });

  test('a tag is found, also at the end of a full name', async () => {
    const path = freshFolder();
    writeLayout(path, [
      { image: one, tag: 'v1' },
      { image: two, tag: 'docker.io/library/app:v2' },
    ]);
    await expect(resolve(path, { tag: 'v1' })).resolves.toBe(one.digest);
    await expect(resolve(path, { tag: 'v2' })).resolves.toBe(two.digest);
    await expect(resolve(path, { tag: 'v3' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('v1'),
    });
  });

  test('what is attached to an image does not make it ambiguous, a second image does', async () => {
    const path = freshFolder();
    writeLayout(path, [
      { image: one },
      { image: buildReferrer(one, 'application/x') },
      { image: buildIndex([]), tag: `sha256-${encodedOf(one.digest)}` },
    ]);
    await expect(resolve(path)).resolves.toBe(one.digest);
    writeLayout(path, [
      { image: one, tag: 'v1' },
      { image: two, tag: 'v2' },
    ]);
    await expect(resolve(path)).rejects.toMatchObject({
      code: 'REFERENCE_AMBIGUOUS',
      message: expect.stringMatching(/v1.*v2/),
    });
  });

  test('a tag that stands for two images is refused', async () => {
    const path = freshFolder();
    writeLayout(path, [
      { image: one, tag: 'v1' },
      { image: two, tag: 'v1' },
    ]);
    await expect(resolve(path, { tag: 'v1' })).rejects.toMatchObject({ code: 'LAYOUT_INVALID' });
  });

  test('an empty layout holds no image', async () => {
    const path = freshFolder();
    await createLayout(path, testContext());
    await expect(resolve(path)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('opening', () => {
  test('a folder that is missing, a file, or no layout is told apart', async () => {
    const path = freshFolder();
    await expect(resolve(path)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    mkdirSync(path);
    await expect(resolve(path)).rejects.toMatchObject({
      code: 'LAYOUT_INVALID',
      message: expect.stringContaining('oci-layout'),
    });
    writeFileSync(join(path, 'file'), '');
    await expect(resolve(join(path, 'file'))).rejects.toMatchObject({ code: 'LAYOUT_INVALID' });
  });

  test.each([
    ['index.json', '{"schemaVersion":2,"manifests":[],"manifests":[]}'],
    ['index.json', '{"schemaVersion":2,"manifests":[{"digest":"sha256:00"}]}'],
    ['index.json', '{"schemaVersion":1,"manifests":[]}'],
    ['oci-layout', '{"imageLayoutVersion":"2.0.0"}'],
    ['oci-layout', 'no json'],
  ])('a malformed %s is refused: %s', async (name, text) => {
    const path = freshFolder();
    writeLayout(path, [{ image: one }]);
    writeFileSync(join(path, name), text);
    await expect(resolve(path)).rejects.toMatchObject({ code: 'LAYOUT_INVALID', hint: expect.any(String) });
  });
});

describe('reading', () => {
  test('manifests and blobs are verified', async () => {
    const path = freshFolder();
    writeLayout(path, [{ image: one }]);
    const source = await openLayout(layoutOf(path), testContext());
    expect((await source.readManifest(one.digest)).manifest.kind).toBe('image');
    await expect(buffer(await source.readBlob(layer.descriptor))).resolves.toEqual(Buffer.from(layer.bytes));
    writeFileSync(join(path, 'blobs/sha256', encodedOf(layer.descriptor.digest)), Buffer.alloc(layer.bytes.length));
    writeFileSync(join(path, 'blobs/sha256', encodedOf(one.digest)), `${Buffer.from(one.bytes).toString()} `);
    await expect(buffer(await source.readBlob(layer.descriptor))).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
    await expect(source.readManifest(one.digest)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  test('what is not there is not found', async () => {
    const path = freshFolder();
    writeLayout(path, [{ image: one }]);
    const source = await openLayout(layoutOf(path), testContext());
    await expect(source.readManifest(two.digest)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(source.readBlob(content(Buffer.from('x'), 'x').descriptor)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('referrers', () => {
  const sbom = buildReferrer(one, 'application/vnd.cyclonedx+json');
  const signature = buildReferrer(one, 'application/vnd.dev.sigstore.bundle.v0.3+json');

  test('are found as entries, within an index, and under the fallback tag, each once', async () => {
    const path = freshFolder();
    writeLayout(path, [
      { image: one, tag: 'v1' },
      { image: sbom },
      { image: buildIndex([sbom, signature]), tag: `sha256-${encodedOf(one.digest)}` },
      { image: buildReferrer(two, 'application/other') },
    ]);
    const source = await openLayout(layoutOf(path), testContext());
    const found = await source.listReferrers(one.digest);
    expect(new Set(found.map(({ digest }) => digest))).toEqual(new Set([sbom.digest, signature.digest]));
    expect(found.length).toBe(2);
    const filtered = await source.listReferrers(one.digest, { artifactType: 'application/vnd.cyclonedx+json' });
    expect(filtered.map(({ digest }) => digest)).toEqual([sbom.digest]);
  });

  test('that cannot be read are not taken for none', async () => {
    const path = freshFolder();
    writeLayout(path, [{ image: one, tag: 'v1' }, { image: sbom }]);
    rmSync(join(path, 'blobs/sha256', encodedOf(sbom.digest)));
    const source = await openLayout(layoutOf(path), testContext());
    await expect(source.listReferrers(one.digest)).rejects.toMatchObject({ code: 'LAYOUT_INVALID' });
  });

  test('that are written are found both ways, and do not tag anything', async () => {
    const path = freshFolder();
    writeLayout(path, [{ image: one, tag: 'v1' }]);
    const source = await openLayout(layoutOf(path), testContext());
    for (const referrer of [sbom, signature]) {
      for (const blob of referrer.blobs) await source.writeBlob(blob.descriptor, () => blob.bytes);
      await source.writeManifest(referrer.bytes);
      await source.writeManifest(referrer.bytes);
    }
    const index = JSON.parse(readFileSync(join(path, 'index.json'), 'utf8')) as {
      manifests: { digest: string; annotations?: Record<string, string> }[];
    };
    expect(
      index.manifests.map(({ digest, annotations }) => annotations?.['org.opencontainers.image.ref.name'] ?? digest),
    ).toEqual(['v1', sbom.digest, signature.digest, `sha256-${encodedOf(one.digest)}`]);
    const fallback = await source.readManifest(index.manifests[3]?.digest as never);
    expect(fallback.manifest.kind === 'index' && fallback.manifest.manifests.map(({ digest }) => digest)).toEqual([
      sbom.digest,
      signature.digest,
    ]);
    expect((await source.listReferrers(one.digest)).length).toBe(2);
    await expect(source.resolve()).resolves.toBe(one.digest);
  });
});

describe('writing', () => {
  test('a layout is made empty, and one that is there is left alone', async () => {
    const path = freshFolder();
    await createLayout(path, testContext());
    const source = await openLayout(layoutOf(path), testContext());
    await source.writeManifest(one.bytes, { tag: 'v1' });
    await createLayout(path, testContext());
    await expect(resolve(path, { tag: 'v1' })).resolves.toBe(one.digest);
  });

  test('a layout is not made in a folder of other things', async () => {
    const path = freshFolder();
    mkdirSync(path);
    writeFileSync(join(path, 'thesis.txt'), '');
    await expect(createLayout(path, testContext())).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' });
  });

  test('a tag moves, and fields of index.json that nobody here knows stay', async () => {
    const path = freshFolder();
    writeLayout(path, [{ image: one, tag: 'v1' }]);
    const indexPath = join(path, 'index.json');
    const index = JSON.parse(readFileSync(indexPath, 'utf8')) as object;
    writeFileSync(indexPath, JSON.stringify({ ...index, annotations: { kept: 'yes' } }));
    const source = await openLayout(layoutOf(path), testContext());
    await source.writeManifest(two.bytes, { tag: 'v1' });
    await expect(resolve(path, { tag: 'v1' })).resolves.toBe(two.digest);
    expect(readFileSync(indexPath, 'utf8')).toContain('"kept":"yes"');
  });

  test('a blob that is not what its descriptor says leaves nothing behind', async () => {
    const path = freshFolder();
    await createLayout(path, testContext());
    const source = await openLayout(layoutOf(path), testContext());
    const { descriptor } = content(Buffer.from('right'), 'x');
    await expect(source.writeBlob(descriptor, () => Readable.from([Buffer.from('wrong')]))).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
    const failing = Readable.from(
      (function* () {
        yield Buffer.from('ri');
        throw new Error('lost');
      })(),
    );
    await expect(source.writeBlob(descriptor, () => failing)).rejects.toThrow('lost');
    expect(readdirSync(join(path, 'blobs/sha256'))).toEqual([]);
    await source.writeBlob(descriptor, () => Buffer.from('right'));
    expect(readdirSync(join(path, 'blobs/sha256'))).toEqual([encodedOf(descriptor.digest)]);
  });

  test('an interrupted write leaves nothing behind', async () => {
    const path = freshFolder();
    await createLayout(path, testContext());
    const controller = new AbortController();
    const source = await openLayout(layoutOf(path), testContext({ signal: controller.signal }));
    const { descriptor } = content(Buffer.from('right'), 'x');
    const stuck = new Readable({ read: () => {} });
    stuck.push('ri');
    const writing = source.writeBlob(descriptor, () => stuck);
    setTimeout(() => controller.abort(), 20);
    await expect(writing).rejects.toThrow('abort');
    expect(readdirSync(join(path, 'blobs/sha256'))).toEqual([]);
  });

  test('many writers at once lose nothing, and the lock is gone afterwards', async () => {
    const path = freshFolder();
    writeLayout(path, [{ image: one, tag: 'v1' }]);
    const referrers = Array.from({ length: 12 }, (_, at) => buildReferrer(one, 'application/x', String(at)));
    await Promise.all(
      referrers.map(async (referrer) =>
        (await openLayout(layoutOf(path), testContext())).writeManifest(referrer.bytes),
      ),
    );
    const source = await openLayout(layoutOf(path), testContext());
    expect((await source.listReferrers(one.digest)).length).toBe(12);
    expect(readdirSync(path).toSorted()).toEqual(['blobs', 'index.json', 'oci-layout']);
  });

  test.skipIf(process.getuid?.() === 0)(
    'a folder that may not be written is told as such (needs a user other than root)',
    async () => {
      const path = freshFolder();
      await createLayout(path, testContext());
      chmodSync(join(path, 'blobs/sha256'), 0o500);
      const source = await openLayout(layoutOf(path), testContext());
      await expect(source.writeManifest(one.bytes)).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' });
    },
  );

  test('a disk that fails is told as such, and a source that breaks off as what it is', async () => {
    expect(writeError(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }), 'x')).toMatchObject({
      code: 'FILE_UNWRITABLE',
      hint: expect.stringContaining('full'),
    });
    const path = freshFolder();
    await createLayout(path, testContext());
    const source = await openLayout(layoutOf(path), testContext());
    const descriptor = { mediaType: 'x', digest: digestOf('x'), size: 1 };
    const reset = new Readable({
      read() {
        this.destroy(Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
      },
    });
    await expect(source.writeBlob(descriptor, () => reset)).rejects.toMatchObject({ code: 'ECONNRESET' });
    rmSync(join(path, 'blobs'), { recursive: true });
    writeFileSync(join(path, 'blobs'), '');
    await expect(source.writeBlob(descriptor, () => Buffer.from('x'))).rejects.toMatchObject({
      code: expect.stringMatching(/^FILE_/),
    });
  });
});
