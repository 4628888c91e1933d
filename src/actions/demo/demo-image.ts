import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip, createZstdCompress } from 'node:zlib';
import type { Context } from '../../base/context.ts';
import { writeTar, type TarItem } from '../../image/tar-writer.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestOf, finishDigest, type Digest } from '../../oci/digest.ts';
import { MEDIA_TYPES } from '../../oci/media-types.ts';
import type { ContentWriter } from '../../source/source.ts';

/** A layer to be: what is in it, and the line of history that says so. */
export interface LayerPlan {
  readonly name: string;
  readonly items: readonly TarItem[];
  readonly compression: 'gzip' | 'zstd';
}

interface BuiltLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

/**
 * Builds an image from real files into `target`, and tags it. Layers go through a file in `workFolder`, which the caller
 * removes; memory stays small.
 */
export async function buildImage(
  target: ContentWriter,
  plans: readonly LayerPlan[],
  options: { readonly tag: string; readonly workFolder: string },
  context: Context,
): Promise<Descriptor> {
  const layers: BuiltLayer[] = [];
  for (const plan of plans.filter(({ items }) => items.length > 0)) {
    context.emit({ kind: 'step', message: `building layer: ${plan.name} (${plan.items.length} files)` });
    layers.push(await buildLayer(target, plan, join(options.workFolder, `layer-${layers.length}`), context));
  }
  const config = Buffer.from(JSON.stringify(configOf(plans, layers)));
  const configDescriptor = { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(config), size: config.length };
  await target.writeBlob(configDescriptor, () => config);
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: configDescriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  };
  return target.writeManifest(Buffer.from(JSON.stringify(manifest)), { tag: options.tag });
}

async function buildLayer(target: ContentWriter, plan: LayerPlan, file: string, context: Context): Promise<BuiltLayer> {
  const tar = hashing();
  const blob = hashing();
  const compress =
    plan.compression === 'zstd'
      ? createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3 } })
      : createGzip({ level: 6 });
  await pipeline(Readable.from(writeTar(plan.items)), tar.stream, compress, blob.stream, createWriteStream(file), {
    signal: context.signal,
  });
  const descriptor = {
    mediaType: plan.compression === 'zstd' ? MEDIA_TYPES.ociLayerZstd : MEDIA_TYPES.ociLayerGzip,
    digest: blob.digest(),
    size: blob.sizeBytes(),
  };
  await target.writeBlob(descriptor, () => createReadStream(file));
  return { descriptor, diffId: tar.digest() };
}

function hashing(): { readonly stream: Transform; readonly digest: () => Digest; readonly sizeBytes: () => number } {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const stream = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      done(null, chunk);
    },
  });
  return { stream, digest: () => finishDigest(hash), sizeBytes: () => sizeBytes };
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

function configOf(plans: readonly LayerPlan[], layers: readonly BuiltLayer[]): unknown {
  return {
    architecture: ARCHITECTURES[arch()] ?? arch(),
    os: 'linux',
    config: {
      Entrypoint: ['/usr/local/bin/node', '/usr/lib/node_modules/boltseal/dist/boltseal.cjs'],
      Labels: { 'org.opencontainers.image.title': 'boltseal demo' },
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: plans.filter(({ items }) => items.length > 0).map(({ name }) => ({ created_by: name })),
  };
}
