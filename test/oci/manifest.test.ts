import { describe, expect, test } from 'vitest';
import { MEDIA_TYPES } from '../../src/oci/media-types.ts';
import { artifactTypeOf, EMPTY_BLOB, EMPTY_DESCRIPTOR, parseManifest } from '../../src/oci/manifest.ts';
import { digestOf } from '../../src/oci/digest.ts';

const config = { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf('c'), size: 1 };
const layer = { mediaType: MEDIA_TYPES.ociLayerGzip, digest: digestOf('l'), size: 2 };
const image = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config, layers: [layer] };
const index = {
  schemaVersion: 2,
  mediaType: MEDIA_TYPES.ociIndex,
  manifests: [{ ...layer, mediaType: MEDIA_TYPES.ociManifest, platform: { os: 'linux', architecture: 'amd64' } }],
};
const parse = (value: unknown, contentType?: string) =>
  parseManifest(new TextEncoder().encode(JSON.stringify(value)), contentType, 'the manifest');

describe('parseManifest', () => {
  test('reads an image and an index', () => {
    expect(parse(image)).toMatchObject({ kind: 'image', layers: [{ size: 2 }] });
    expect(parse(index)).toMatchObject({ kind: 'index', manifests: [{ platform: { os: 'linux' } }] });
  });

  test('takes the type from the response when the body has none, without parameters', () => {
    const { mediaType: _, ...bare } = image;
    expect(parse(bare, `${MEDIA_TYPES.dockerManifest}; charset=utf-8`).mediaType).toBe(MEDIA_TYPES.dockerManifest);
    expect(parse(bare).mediaType).toBe(MEDIA_TYPES.ociManifest);
  });

  test.each([
    ['a body of another type than was sent', image, MEDIA_TYPES.ociIndex, 'MANIFEST_INVALID'],
    ['both manifests and layers', { ...index, layers: [] }, undefined, 'MANIFEST_INVALID'],
    ['both manifests and config', { ...index, config }, undefined, 'MANIFEST_INVALID'],
    ['a type that is neither', { ...image, mediaType: 'application/json' }, undefined, 'MEDIA_TYPE_UNSUPPORTED'],
    ['schema version 1', { ...image, schemaVersion: 1 }, undefined, 'MANIFEST_INVALID'],
    ['no config', { ...image, config: undefined }, undefined, 'MANIFEST_INVALID'],
    ['a negative size', { ...image, config: { ...config, size: -1 } }, undefined, 'MANIFEST_INVALID'],
    ['a size that is no whole number', { ...image, config: { ...config, size: 1.5 } }, undefined, 'MANIFEST_INVALID'],
    ['a malformed digest', { ...image, layers: [{ ...layer, digest: 'sha256:x' }] }, undefined, 'MANIFEST_INVALID'],
    ['a list instead of an object', [], undefined, 'MANIFEST_INVALID'],
  ])('refuses %s', (_name, value, contentType, code) => {
    expect(() => parse(value, contentType)).toThrowError(expect.objectContaining({ code }));
  });

  test('an artifact is of its artifactType, else of its config type; an index without one has none', () => {
    expect(artifactTypeOf(parse({ ...image, artifactType: 'a/b' }))).toBe('a/b');
    expect(artifactTypeOf(parse(image))).toBe(MEDIA_TYPES.ociConfig);
    expect(artifactTypeOf(parse(index))).toBeUndefined();
  });
});

test('the empty descriptor names the two bytes of the empty blob', () => {
  expect(EMPTY_DESCRIPTOR).toMatchObject({ digest: digestOf(EMPTY_BLOB), size: EMPTY_BLOB.length });
});
