import { Buffer } from 'node:buffer';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { readDescriptor, type Descriptor } from '../../src/oci/descriptor.ts';
import { algorithmOf, digestOf, encodedOf, type Digest } from '../../src/oci/digest.ts';
import { MEDIA_TYPES } from '../../src/oci/media-types.ts';
import type { Platform } from '../../src/oci/platform.ts';
import { writeTar, type TarItem } from './tar-writer.ts';

export type TestCompression = 'none' | 'gzip' | 'gzip-members' | 'zstd' | 'zstd-frames';

/** Bytes and what describes them. */
export interface Content {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

export interface BuiltLayer extends Content {
  readonly tar: Buffer;
  readonly diffId: Digest;
}

/** A manifest and everything it needs: what `writeLayout` writes. */
export interface BuiltImage extends Content {
  readonly digest: Digest;
  readonly blobs: readonly Content[];
}

interface LayerOptions {
  readonly compression?: TestCompression;
  /** What the descriptor claims, when it is not what the bytes are. */
  readonly mediaType?: string;
}

/** A layer of these entries, or of a tar that is there already. */
export function buildLayer(entries: readonly TarItem[] | Buffer, options: LayerOptions = {}): BuiltLayer {
  const tar = Buffer.isBuffer(entries) ? entries : writeTar(entries);
  const compression = options.compression ?? 'gzip';
  const stored = content(COMPRESS[compression](tar), options.mediaType ?? LAYER_TYPES[compression]);
  return { ...stored, tar, diffId: digestOf(tar) };
}

interface ImageParts {
  readonly layers?: readonly BuiltLayer[];
  /** Fields of the configuration beside platform and rootfs, or in their place. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly platform?: Platform;
  /** Fields of the manifest beside config and layers, or in their place: subject, annotations, artifactType. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  readonly configMediaType?: string;
}

export function buildImage({ layers = [], config, platform, manifest, configMediaType }: ImageParts = {}): BuiltImage {
  const configured = jsonContent(
    {
      ...(platform ?? { os: 'linux', architecture: 'amd64' }),
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      ...config,
    },
    configMediaType ?? MEDIA_TYPES.ociConfig,
  );
  const built = jsonContent(
    {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: configured.descriptor,
      layers: layers.map(({ descriptor }) => descriptor),
      ...manifest,
    },
    MEDIA_TYPES.ociManifest,
  );
  const descriptor = platform === undefined ? built.descriptor : { ...built.descriptor, platform };
  return { ...built, descriptor, digest: descriptor.digest, blobs: [configured, ...layers] };
}

/** An index of images, or of other indexes. Its blobs are all of theirs. */
export function buildIndex(images: readonly BuiltImage[], fields: Readonly<Record<string, unknown>> = {}): BuiltImage {
  const built = jsonContent(
    {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociIndex,
      manifests: images.map(({ descriptor }) => descriptor),
      ...fields,
    },
    MEDIA_TYPES.ociIndex,
  );
  return { ...built, digest: built.descriptor.digest, blobs: images.flatMap((image) => [image, ...image.blobs]) };
}

/** An artifact that refers to a subject: an image manifest with an empty configuration and one layer. */
export function buildReferrer(subject: BuiltImage, artifactType: string, body = 'attached'): BuiltImage {
  const empty = content(Buffer.from('{}'), MEDIA_TYPES.ociEmpty);
  const layer = content(Buffer.from(body), artifactType);
  const { mediaType, digest, size } = subject.descriptor;
  const built = jsonContent(
    {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      artifactType,
      config: empty.descriptor,
      layers: [layer.descriptor],
      subject: { mediaType, digest, size },
    },
    MEDIA_TYPES.ociManifest,
  );
  return { ...built, digest: built.descriptor.digest, blobs: [empty, layer] };
}

export interface ListedImage {
  readonly image: BuiltImage;
  /** `org.opencontainers.image.ref.name`. */
  readonly tag?: string;
}

/** The files of an OCI image layout, by name. */
export function layoutFiles(images: readonly ListedImage[]): ReadonlyMap<string, Uint8Array> {
  const manifests = images.map(({ image, tag }) =>
    tag === undefined
      ? image.descriptor
      : { ...image.descriptor, annotations: { 'org.opencontainers.image.ref.name': tag } },
  );
  const blobs = images.flatMap(({ image }) => [image, ...image.blobs]);
  return new Map<string, Uint8Array>([
    ['oci-layout', json({ imageLayoutVersion: '1.0.0' })],
    ['index.json', json({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests })],
    ...blobs.map(({ descriptor: { digest }, bytes }): [string, Uint8Array] => [
      `blobs/${algorithmOf(digest)}/${encodedOf(digest)}`,
      bytes,
    ]),
  ]);
}

/** Writes an OCI image layout into a folder, which is made when it is missing. */
export function writeLayout(folder: string, images: readonly ListedImage[]): void {
  for (const [name, bytes] of layoutFiles(images)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
}

/** The tar of an OCI image layout. */
export function buildOciArchive(images: readonly ListedImage[]): Buffer {
  return writeTar([...layoutFiles(images)].map(([path, body]) => ({ path, body })));
}

interface SavedImage {
  readonly tags: readonly string[];
  readonly layers: readonly BuiltLayer[];
  readonly config?: Readonly<Record<string, unknown>>;
}

/** What `docker save` wrote before version 25; a layer that comes again is a symlink to where it came first. */
export function buildDockerArchive(images: readonly SavedImage[]): Buffer {
  const items: TarItem[] = [];
  const seen = new Map<Digest, string>();
  const manifest = images.map(({ tags, layers, config }, at) => {
    const configBytes = json({
      os: 'linux',
      architecture: 'amd64',
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      ...config,
    });
    const names = layers.map((layer, index) => {
      const folder = encodedOf(digestOf(`${at} ${index}`));
      const first = seen.get(layer.diffId);
      const path = `${folder}/layer.tar`;
      items.push({ path: `${folder}/`, type: 'directory' }, { path: `${folder}/VERSION`, body: '1.0' });
      if (first === undefined) items.push({ path, body: layer.tar });
      else items.push({ path, type: 'symlink', linkTarget: `../${first}` });
      seen.set(layer.diffId, first ?? path);
      return path;
    });
    const configName = `${encodedOf(digestOf(configBytes))}.json`;
    items.push({ path: configName, body: configBytes });
    return { Config: configName, RepoTags: tags, Layers: names };
  });
  return writeTar([...items, { path: 'manifest.json', body: json(manifest) }]);
}

export function jsonContent(value: unknown, mediaType: string): Content {
  return content(json(value), mediaType);
}

export function content(bytes: Uint8Array, mediaType: string): Content {
  return { descriptor: readDescriptor({ mediaType, digest: digestOf(bytes), size: bytes.length }, 'test'), bytes };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function inParts(tar: Buffer, compress: (part: Buffer) => Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < tar.length; at += PART_BYTES) parts.push(compress(tar.subarray(at, at + PART_BYTES)));
  return Buffer.concat(parts);
}

/** A skippable frame, as zstd:chunked and pzstd put into theirs. */
const SKIPPABLE = Buffer.from('502a4d1804000000deadbeef', 'hex');
const PART_BYTES = 700;

const COMPRESS: Readonly<Record<TestCompression, (tar: Buffer) => Buffer>> = {
  none: (tar) => tar,
  gzip: (tar) => gzipSync(tar),
  'gzip-members': (tar) => inParts(tar, (part) => gzipSync(part)),
  zstd: (tar) => zstdCompressSync(tar),
  'zstd-frames': (tar) =>
    Buffer.concat([SKIPPABLE, inParts(tar, (part) => Buffer.concat([zstdCompressSync(part), SKIPPABLE]))]),
};

const LAYER_TYPES: Readonly<Record<TestCompression, string>> = {
  none: MEDIA_TYPES.ociLayer,
  gzip: MEDIA_TYPES.ociLayerGzip,
  'gzip-members': MEDIA_TYPES.ociLayerGzip,
  zstd: MEDIA_TYPES.ociLayerZstd,
  'zstd-frames': MEDIA_TYPES.ociLayerZstd,
};
