import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Image } from '../../src/image/image.ts';
import { loadImage } from '../../src/image/load.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { parsePlatform } from '../../src/oci/platform.ts';
import { openLayout } from '../../src/source/layout.ts';
import { testContext } from '../support/context.ts';
import {
  buildImage,
  buildIndex,
  buildLayer,
  buildReferrer,
  writeLayout,
  type BuiltImage,
} from '../support/image-builder.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'boltseal-load-'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

async function load(image: BuiltImage, platform?: string): Promise<Image> {
  const path = mkdtempSync(join(root, 'layout-'));
  writeLayout(path, [{ image }]);
  const context = testContext();
  const source = await openLayout({ kind: 'layout', path }, context);
  return loadImage(source, image.digest, platform === undefined ? {} : { platform: parsePlatform(platform) }, context);
}

const layer = buildLayer([{ path: 'a' }]);
const imageFor = (platform: string): BuiltImage => buildImage({ layers: [layer], platform: parsePlatform(platform) });
const amd64 = imageFor('linux/amd64');
const arm64 = imageFor('linux/arm64');
const [armV6, armV7] = [imageFor('linux/arm/v6'), imageFor('linux/arm/v7')];
const attestation = {
  ...buildImage({ config: { attestation: true } }),
  descriptor: {
    ...buildImage({ config: { attestation: true } }).descriptor,
    platform: { os: 'unknown', architecture: 'unknown' },
  },
};

describe('an image', () => {
  test('is loaded with its layers paired to their diffIDs', async () => {
    const image = await load(amd64);
    expect(image).toMatchObject({
      digest: amd64.digest,
      size: amd64.bytes.length,
      config: { platform: { architecture: 'amd64' } },
    });
    expect(image.layers).toEqual([{ index: 0, descriptor: layer.descriptor, diffId: layer.diffId }]);
    expect(image.indexDigest).toBeUndefined();
  });
  test('for another platform than asked for is refused', async () => {
    await expect(load(amd64, 'linux/amd64')).resolves.toMatchObject({ digest: amd64.digest });
    await expect(load(amd64, 'linux/arm64')).rejects.toMatchObject({ code: 'PLATFORM_NOT_FOUND' });
  });
  test('whose configuration names more or fewer layers is refused', async () => {
    for (const diffIds of [[], [layer.diffId, layer.diffId]]) {
      const broken = buildImage({ layers: [layer], config: { rootfs: { type: 'layers', diff_ids: diffIds } } });
      await expect(load(broken)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
    }
  });
  test('that is another artifact is told as such', async () => {
    await expect(load(buildReferrer(amd64, 'application/vnd.example'))).rejects.toMatchObject({
      code: 'MEDIA_TYPE_UNSUPPORTED',
      message: expect.stringContaining('application/vnd.example'),
    });
    const helm = buildImage({ layers: [layer], configMediaType: 'application/vnd.cncf.helm.config.v1+json' });
    await expect(load(helm)).rejects.toMatchObject({
      code: 'MEDIA_TYPE_UNSUPPORTED',
      message: expect.stringContaining('helm'),
    });
  });
});

describe('an index', () => {
  const several = buildIndex([amd64, arm64, armV6, armV7, attestation]);

  test('with one candidate needs no platform', async () => {
    const index = buildIndex([amd64, attestation, buildReferrer(amd64, 'application/x')]);
    const artifact = { ...index, descriptor: index.descriptor };
    await expect(load(buildIndex([amd64, attestation]))).resolves.toMatchObject({
      digest: amd64.digest,
      indexDigest: buildIndex([amd64, attestation]).digest,
    });
    await expect(load(artifact)).rejects.toMatchObject({ code: 'PLATFORM_AMBIGUOUS' });
  });
  test('of several lists them, and is chosen from by platform', async () => {
    await expect(load(several)).rejects.toMatchObject({
      code: 'PLATFORM_AMBIGUOUS',
      message: expect.stringContaining('linux/amd64, linux/arm64, linux/arm/v6, linux/arm/v7'),
      hint: expect.stringContaining('--platform linux/amd64'),
    });
    await expect(load(several, 'linux/arm64')).resolves.toMatchObject({ digest: arm64.digest });
    await expect(load(several, 'linux/arm/v7')).resolves.toMatchObject({ digest: armV7.digest });
    await expect(load(several, 'linux/arm')).rejects.toMatchObject({ code: 'PLATFORM_AMBIGUOUS' });
    await expect(load(several, 'linux/s390x')).rejects.toMatchObject({
      code: 'PLATFORM_NOT_FOUND',
      message: expect.stringContaining('linux/arm64'),
    });
  });
  test('whose only candidate is for another platform is refused', async () => {
    await expect(load(buildIndex([amd64]), 'linux/arm64')).rejects.toMatchObject({ code: 'PLATFORM_NOT_FOUND' });
  });
  test('that lies about a platform is found out', async () => {
    const lying = { ...amd64, descriptor: { ...amd64.descriptor, platform: parsePlatform('linux/arm64') } };
    await expect(load(buildIndex([lying, armV6]), 'linux/arm64')).rejects.toMatchObject({ code: 'PLATFORM_NOT_FOUND' });
  });
  test('within an index is looked into, up to a limit', async () => {
    await expect(load(buildIndex([buildIndex([amd64])]))).resolves.toMatchObject({ digest: amd64.digest });
    await expect(load(buildIndex([buildIndex([amd64]), arm64]), 'linux/amd64')).resolves.toMatchObject({
      digest: amd64.digest,
    });
    const deep = [1, 2, 3, 4, 5].reduce((inner) => buildIndex([inner]), amd64);
    await expect(load(deep)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });
  test('of no images is told as such', async () => {
    await expect(load(buildIndex([]))).rejects.toMatchObject({ code: 'PLATFORM_NOT_FOUND' });
  });
  test('that lists a digest it does not have is refused', async () => {
    const missing = { ...amd64, descriptor: { ...amd64.descriptor, digest: digestOf('gone') }, blobs: [] };
    const index = buildIndex([missing]);
    await expect(load({ ...index, blobs: [] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
