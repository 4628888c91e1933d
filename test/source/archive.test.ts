import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { loadImage } from '../../src/image/load.ts';
import { walkLayer } from '../../src/image/walk-layer.ts';
import type { ArchiveReference } from '../../src/oci/reference.ts';
import { openArchive, type ArchiveSource } from '../../src/source/archive.ts';
import { recogniseReference } from '../../src/source/recognise.ts';
import { testContext } from '../support/context.ts';
import {
  buildDockerArchive,
  buildImage,
  buildLayer,
  buildOciArchive,
  buildReferrer,
  writeLayout,
} from '../support/image-builder.ts';
import { writeTar } from '../support/tar-writer.ts';
import { VECTORS } from '../support/vectors.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'boltseal-archive-'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

let count = 0;
function save(bytes: Uint8Array, name = `${(count += 1)}.tar`): string {
  writeFileSync(join(root, name), bytes);
  return join(root, name);
}

function open(path: string, format: 'oci' | 'docker', tag?: string): Promise<ArchiveSource> {
  const reference: ArchiveReference = { kind: 'archive', format, path, ...(tag === undefined ? {} : { tag }) };
  return openArchive(reference, testContext());
}

async function namesIn(source: ArchiveSource, order: 'forward' | 'backward' = 'forward'): Promise<readonly string[]> {
  const image = await loadImage(source, await source.resolve(), {}, testContext());
  const layers = order === 'forward' ? image.layers : image.layers.toReversed();
  const names: string[] = [];
  for (const layer of layers) {
    const { entries } = await walkLayer(source, layer, () => undefined, testContext());
    names.push(...entries.map(({ path }) => path));
  }
  return names.toSorted();
}

const PACK = {
  tar: (tar: Buffer) => tar,
  'tar.gz': (tar: Buffer) => gzipSync(tar),
  'tar.zst': (tar: Buffer) => zstdCompressSync(tar),
};
const KINDS = Object.keys(PACK) as readonly (keyof typeof PACK)[];
const big = 'x'.repeat(2 * 1024 * 1024);
const low = buildLayer([{ path: 'low', body: big }]);
const high = buildLayer([{ path: 'high', body: 'y' }], { compression: 'zstd' });
const image = buildImage({ layers: [low, high] });

describe.each(KINDS)('%s', (kind) => {
  test('an OCI archive is read in any order, with what is attached', async () => {
    const sbom = buildReferrer(image, 'application/x');
    await using source = await open(
      save(PACK[kind](buildOciArchive([{ image, tag: 'v1' }, { image: sbom }]))),
      'oci',
      'v1',
    );
    await expect(source.resolve()).resolves.toBe(image.digest);
    await expect(namesIn(source)).resolves.toEqual(['high', 'low']);
    await expect(namesIn(source, 'backward')).resolves.toEqual(['high', 'low']);
    expect((await source.listReferrers?.(image.digest))?.map(({ digest }) => digest)).toEqual([sbom.digest]);
  });

  test('a docker archive is read, layers that repeat are followed, and its manifest is always the same', async () => {
    const path = save(PACK[kind](buildDockerArchive([{ tags: ['app:v1'], layers: [low, high, low] }])));
    await using source = await open(path, 'docker');
    await expect(namesIn(source)).resolves.toEqual(['high', 'low', 'low']);
    await expect(namesIn(source, 'backward')).resolves.toEqual(['high', 'low', 'low']);
    await using again = await open(path, 'docker', 'v1');
    await expect(again.resolve()).resolves.toBe(await source.resolve());
    expect((await source.readManifest(await source.resolve())).manifest).toMatchObject({
      layers: [
        { mediaType: 'application/vnd.docker.image.rootfs.diff.tar', digest: low.diffId, size: low.tar.length },
        {},
        {},
      ],
    });
  });

  test('two layers are read at the same time', async () => {
    await using source = await open(
      save(PACK[kind](buildDockerArchive([{ tags: [], layers: [low, high] }]))),
      'docker',
    );
    const loaded = await loadImage(source, await source.resolve(), {}, testContext());
    const listings = await Promise.all(
      loaded.layers.map((layer) => walkLayer(source, layer, () => undefined, testContext())),
    );
    expect(listings.map(({ entries }) => entries.map(({ path }) => path))).toEqual([['low'], ['high']]);
  });

  test('one that ends too early is refused', async () => {
    const whole = PACK[kind](buildDockerArchive([{ tags: [], layers: [low] }]));
    const path = save(whole.subarray(0, Math.floor(whole.length * 0.6)));
    await expect(open(path, 'docker')).rejects.toMatchObject({ code: 'LAYOUT_INVALID' });
  });
});

describe('a docker archive', () => {
  const files = (layerPath: string, body: Uint8Array): Buffer => {
    const config = JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { diff_ids: [low.diffId] } });
    const manifest = JSON.stringify([{ Config: 'config.json', RepoTags: null, Layers: [layerPath] }]);
    return writeTar([
      { path: 'manifest.json', body: manifest },
      { path: 'config.json', body: config },
      { path: layerPath, body },
    ]);
  };

  test.each(['layer.tar.gz', `blobs/sha256/${low.descriptor.digest.slice(7)}`])(
    'may have compressed layers: %s',
    async (layerPath) => {
      await using source = await open(save(files(layerPath, low.bytes)), 'docker');
      await expect(namesIn(source)).resolves.toEqual(['low']);
      expect((await source.readManifest(await source.resolve())).manifest).toMatchObject({
        layers: [{ digest: low.descriptor.digest }],
      });
    },
  );

  test('whose layer is not the one its configuration names is refused when it is read', async () => {
    await using source = await open(save(files('layer.tar', high.tar)), 'docker');
    await expect(namesIn(source)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  test('of several images needs a tag', async () => {
    const path = save(
      buildDockerArchive([
        { tags: ['a:v1'], layers: [low] },
        { tags: ['b:v2'], layers: [high], config: { created: 'x' } },
      ]),
    );
    await expect(open(path, 'docker')).rejects.toMatchObject({
      code: 'REFERENCE_AMBIGUOUS',
      message: expect.stringContaining('a:v1, b:v2'),
    });
    await using source = await open(path, 'docker', 'v2');
    await expect(namesIn(source)).resolves.toEqual(['high']);
    await expect(open(path, 'docker', 'v3')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test.each([
    ['is empty', []],
    ['names a configuration that is not there', [{ path: 'manifest.json', body: '[{"Config":"c","Layers":[]}]' }]],
    ['has a manifest that is malformed', [{ path: 'manifest.json', body: '[{"Config":1}]' }]],
    [
      'has a link that leads in a circle',
      [{ path: 'manifest.json', type: 'symlink' as const, linkTarget: 'manifest.json' }],
    ],
  ])('that %s is refused', async (_, items) => {
    await expect(open(save(writeTar(items)), 'docker')).rejects.toMatchObject({ code: 'LAYOUT_INVALID' });
  });

  test.skipIf(VECTORS === undefined)('of Alpine 3.10, gzipped, is read whole (needs the shared vectors)', async () => {
    await using source = await open(join(VECTORS ?? '', 'images/alpine-3.10.docker.tar.gz'), 'docker');
    const names = await namesIn(source);
    expect(names).toContain('lib/apk/db/installed');
    expect(names.length).toBe(482);
  });
});

describe('a file', () => {
  test('that is missing, or no archive, is told as such', async () => {
    await expect(open(join(root, 'none.tar'), 'oci')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await expect(open(save(Buffer.from('hello'.repeat(300))), 'oci')).rejects.toMatchObject({ code: 'LAYOUT_INVALID' });
    await expect(open(root, 'oci')).rejects.toMatchObject({ code: 'LAYOUT_INVALID' });
  });

  test('of the other format names the right one', async () => {
    const docker = save(buildDockerArchive([{ tags: [], layers: [low] }]));
    await expect(open(docker, 'oci')).rejects.toMatchObject({ message: expect.stringContaining('docker-archive:') });
    await expect(open(save(buildOciArchive([{ image }])), 'docker')).rejects.toMatchObject({
      message: expect.stringContaining('oci-archive:'),
    });
  });

  test('that changes after it was opened is not believed', async () => {
    const path = save(buildOciArchive([{ image }]));
    await using source = await open(path, 'oci');
    writeFileSync(path, Buffer.alloc(buildOciArchive([{ image }]).length));
    await expect(buffer(await source.readBlob(low.descriptor))).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' });
  });
});

describe('recognising', () => {
  const recognise = async (text: string): Promise<unknown> => (await recogniseReference(text, testContext())).reference;

  test.each(KINDS)('archives in %s by what is in them', async (kind) => {
    const docker = save(PACK[kind](buildDockerArchive([{ tags: [], layers: [low] }])));
    const oci = save(PACK[kind](buildOciArchive([{ image }])));
    await expect(recognise(docker)).resolves.toEqual({ kind: 'archive', format: 'docker', path: docker });
    await expect(recognise(`${oci}:v1`)).resolves.toEqual({ kind: 'archive', format: 'oci', path: oci, tag: 'v1' });
    expect((await recogniseReference(docker, testContext())).how).toContain(`read as docker-archive:${docker}`);
  });

  test('layouts, with tag and digest, and folders', async () => {
    const layout = join(root, 'a layout');
    writeLayout(layout, [{ image }]);
    await expect(recognise(layout)).resolves.toEqual({ kind: 'layout', path: layout });
    await expect(recognise(`${layout}:v1`)).resolves.toEqual({ kind: 'layout', path: layout, tag: 'v1' });
    await expect(recognise(`${layout}@${image.digest}`)).resolves.toEqual({
      kind: 'layout',
      path: layout,
      digest: image.digest,
    });
    await expect(recognise(root)).resolves.toEqual({ kind: 'directory', path: root });
  });

  test('a path with a colon in it', async () => {
    const path = save(buildOciArchive([{ image }]), 'with:colon.tar');
    await expect(recognise(path)).resolves.toEqual({ kind: 'archive', format: 'oci', path });
  });

  test('names of images and written-out kinds are left as they are', async () => {
    await expect(recogniseReference('alpine:3.20', testContext())).resolves.toMatchObject({
      reference: { kind: 'registry', tag: '3.20' },
      how: undefined,
    });
    await expect(recognise('src')).resolves.toMatchObject({ kind: 'registry' });
    await expect(recognise('./src')).resolves.toEqual({ kind: 'directory', path: './src' });
    await expect(recognise('oci:none')).resolves.toEqual({ kind: 'layout', path: 'none' });
  });

  test('a path that is not there, or no image, is told as such', async () => {
    await expect(recognise('./none/x.tar')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await expect(recognise(save(writeTar([{ path: 'holiday.jpg' }])))).rejects.toMatchObject({
      code: 'LAYOUT_INVALID',
    });
  });
});
