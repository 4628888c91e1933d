import { Readable } from 'node:stream';
import type { Image, Layer } from '../../src/image/image.ts';
import { parseImageConfig } from '../../src/oci/config.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { parseManifest, type ImageManifest } from '../../src/oci/manifest.ts';
import type { BlobReader } from '../../src/source/source.ts';
import { buildImage, buildLayer } from './image-builder.ts';
import type { TarItem } from './tar-writer.ts';

/** A file of a layer: its content, a link, or content with a mode. */
export type TestFile =
  | string
  | Uint8Array
  | { readonly symlink: string }
  | { readonly hardlink: string }
  | { readonly body: string | Uint8Array; readonly mode: number };

/** Path → content. A whiteout is an empty file of its own name: `a/.wh.b`, `a/.wh..wh..opq`. */
export type TestLayer = Readonly<Record<string, TestFile>>;

export interface MemoryImage {
  readonly image: Image;
  readonly source: BlobReader;
  /** How often each layer's blob was read, by layer index. */
  readonly reads: readonly number[];
}

/** An image in memory, of layers written as records. */
export function memoryImage(layers: readonly TestLayer[]): MemoryImage {
  const built = layers.map((layer) => buildLayer(Object.entries(layer).map(toItem)));
  const reads = layers.map(() => 0);
  const labels = { 'org.opencontainers.image.title': 'test' };
  const { digest, bytes, blobs } = buildImage({
    layers: built,
    config: { created: '2025-06-07T08:09:10Z', config: { Labels: labels } },
  });
  const configBytes = blobs[0]?.bytes ?? new Uint8Array();
  const image: Image = {
    digest,
    size: bytes.length,
    manifest: parseManifest(bytes, undefined, 'the manifest') as ImageManifest,
    config: parseImageConfig(configBytes, 'the configuration'),
    layers: built.map(({ descriptor, diffId }, index): Layer => ({ index, descriptor, diffId })),
  };
  const source: BlobReader = {
    readBlob: async (wanted) => {
      const index = built.findIndex(({ descriptor }) => descriptor.digest === wanted.digest);
      reads[index] = (reads[index] ?? 0) + 1;
      return Readable.from([built[index]?.bytes ?? new Uint8Array()]);
    },
  };
  return { image, source, reads };
}

/** The layers' diffIDs, lowest first. */
export function diffIdsOf({ image }: MemoryImage): readonly Digest[] {
  return image.layers.map(({ diffId }) => diffId);
}

function toItem([path, file]: readonly [string, TestFile]): TarItem {
  if (typeof file === 'string' || file instanceof Uint8Array) return { path, body: Buffer.from(file) };
  if ('symlink' in file) return { path, type: 'symlink', linkTarget: file.symlink };
  if ('hardlink' in file) return { path, type: 'hardlink', linkTarget: file.hardlink };
  return { path, body: Buffer.from(file.body), mode: file.mode };
}
