import { Readable } from 'node:stream';
import type { Context } from '../base/context.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { BlobReader, ContentWriter, ManifestReader } from '../source/source.ts';
import { openImage, openWritable, shareSession } from './open-image.ts';

/**
 * Puts what `from` names under the name `to`, byte for byte, without what refers to it.
 *
 * @throws BoltsealError the codes of references and sources
 */
export async function pushReference(from: string, to: string, context: Context): Promise<Descriptor> {
  await using shared = shareSession({}, context);
  await using source = await openImage(from, shared, context);
  await using target = await openWritable(to, shared, context);
  const { reference } = target;
  return await pushImage(
    source,
    await source.resolve(),
    { target, ...(reference.tag === undefined ? {} : { tag: reference.tag }) },
    context,
  );
}

interface Destination {
  readonly target: ContentWriter;
  readonly tag?: string;
}

/** An image, or an index with all its images: children first, so that nothing is ever named that is not there. */
async function pushImage(
  source: ManifestReader & BlobReader,
  digest: Digest,
  { target, tag }: Destination,
  context: Context,
): Promise<Descriptor> {
  const { bytes, manifest } = await source.readManifest(digest);
  if (manifest.kind === 'index') {
    for (const child of manifest.manifests) await pushImage(source, child.digest, { target }, context);
  } else {
    for (const blob of [manifest.config, ...manifest.layers])
      await target.writeBlob(blob, () => Readable.from(blobBytes(source, blob)));
  }
  return target.writeManifest(bytes, tag === undefined ? {} : { tag });
}

async function* blobBytes(source: BlobReader, blob: Descriptor): AsyncGenerator<Uint8Array> {
  yield* (await source.readBlob(blob)) as AsyncIterable<Uint8Array>;
}
