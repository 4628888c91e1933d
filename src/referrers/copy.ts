import type { Context } from '../base/context.ts';
import { LIMITS } from '../base/limits.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { StoredManifest, WritableSource } from '../source/source.ts';
import { copyBlobs } from './copy-blobs.ts';
import { blobsOf, readCopyGraph, type CopyGraph, type CopySource, type GraphNode, type LeftOut } from './copy-graph.ts';
import { writeManifests } from './copy-manifests.ts';
import { copyResult, type CopyBlob, type CopyResult } from './copy-result.ts';
import { chooseRoots, type CopiedImage, type CopyTags } from './copy-roots.ts';
import { onSide } from './copy-side.ts';
import { surveyDestination, type Survey } from './copy-survey.ts';
import { verifyCopy } from './copy-verify.ts';
import { mapParallel } from './parallel.ts';

export interface CopyPair {
  readonly source: CopySource;
  readonly destination: WritableSource;
}

export interface CopyOptions {
  /**
   * These tags of the source's repository, each under its own name at the destination; the tag in either reference then
   * means nothing. Absent: what the source's reference names, under the tag of the destination's.
   */
  readonly tags?: CopyTags;
  /** Narrows what a name stands for to one manifest of it: one platform of an index. The index is then not copied. */
  readonly choose?: (named: StoredManifest) => Promise<Digest>;
  /** False leaves referrers and cosign's tags behind. True when absent. */
  readonly includeReferrers?: boolean;
  /** Finds out what a copy would do. Nothing that writes is asked of the destination. */
  readonly dryRun?: boolean;
}

/**
 * Copies images with all that belongs to them: the children of an index, everything that refers to any of them, and what
 * cosign's tags name. Byte for byte: manifests keep their bytes, so digests and signatures stay what they are. Blobs go before
 * manifests, and a manifest after those it names; an image's tag appears last, when everything else is there. What the
 * destination has is not sent again, so a copy that broke off is finished by running it again. At the end the destination is
 * asked for everything that was written (distribution-spec 1.1.1).
 *
 * The source's fallback tags (`sha256-<hex>`) are never copied: the destination's lists grow by what is written to it.
 *
 * @throws BoltsealError COPY_INCOMPLETE, NOT_FOUND, LIMIT_EXCEEDED and the codes of either side, which the message names
 */
export async function copyImage(pair: CopyPair, options: CopyOptions, context: Context): Promise<CopyResult> {
  const { source, destination } = pair;
  const { images, narrowed } = await chooseRoots(pair, options);
  const roots = [...new Set(images.map(({ digest }) => digest))];
  const graph = await readCopyGraph(source, { roots, withReferrers: options.includeReferrers !== false }, context);
  const survey = await surveyDestination(destination, graph);
  const { wanted, external } = blobsToCopy(graph, survey, destination);
  const leftOut = [...narrowed, ...graph.leftOut, ...external];
  const plan = { images, graph, survey };
  if (options.dryRun === true) {
    const blobs = await probeBlobs(destination, wanted);
    return copyResult({ ...plan, leftOut, blobs, dryRun: true });
  }
  const missing = graph.nodes.size - survey.complete.size;
  context.emit({ kind: 'step', message: `copying ${missing} of ${graph.nodes.size} manifests` });
  const copied = await copyBlobs(pair, wanted, context);
  await writeAll(destination, plan, context);
  const blobs = copied.map(({ blob, outcome }) => ({ digest: blob.digest, size: blob.size, outcome }));
  return copyResult({ ...plan, leftOut, blobs, dryRun: false });
}

interface Plan {
  readonly images: readonly CopiedImage[];
  readonly graph: CopyGraph;
  readonly survey: Survey;
}

async function writeAll(destination: WritableSource, { images, graph, survey }: Plan, context: Context): Promise<void> {
  const tags = new Map<string, Digest>([
    ...graph.cosignTags.map(({ tag, digest }): [string, Digest] => [tag, digest]),
    ...images.flatMap(({ digest, tags: names }) => names.map((tag): [string, Digest] => [tag, digest])),
  ]);
  // An image that comes alone is written under its tag at once; otherwise the tag waits for what belongs to the image.
  const alone = graph.nodes.size === 1 ? images[0]?.tags[0] : undefined;
  const tagsOf = (): string | undefined => alone;
  // A layout finds an image by its own list, where a manifest that came with another may not be.
  const listed = destination.reference.kind === 'layout' ? new Set(images.map(({ digest }) => digest)) : new Set();
  const complete = survey.complete.difference(listed);
  await writeManifests(destination, { graph, complete, tagsOf });
  const written = new Set(graph.nodes.keys()).difference(complete);
  for (const [tag, digest] of tags) {
    if (tag !== alone || complete.has(digest)) await writeTag(destination, graph.nodes.get(digest), tag);
  }
  await verifyCopy(destination, { graph, written, tags }, context);
}

async function writeTag(destination: WritableSource, node: GraphNode | undefined, tag: string): Promise<void> {
  if (node === undefined) return;
  await onSide('destination', async () => {
    // Not only to save a request: where tags cannot be changed, writing the same again is refused, too.
    if ((await destination.findTag?.(tag)) !== node.digest) await destination.writeManifest(node.bytes, { tag });
  });
}

interface BlobPlan {
  readonly wanted: readonly Descriptor[];
  readonly external: readonly LeftOut[];
}

/** A registry that has a manifest has its blobs. A layout may leave some out, so it is asked for all. */
function blobsToCopy({ nodes }: CopyGraph, { stored }: Survey, destination: WritableSource): BlobPlan {
  const keepsWhole = destination.reference.kind === 'registry';
  const all = [...nodes.values()]
    .filter(({ digest }) => !keepsWhole || !stored.has(digest))
    .flatMap(({ manifest }) => blobsOf(manifest));
  const distinct = [...new Map(all.map((blob) => [blob.digest, blob])).values()];
  const external = distinct.filter(isExternal).map(({ digest, urls = [] }) => ({
    digest,
    why: `this layer may not be distributed; it is at ${urls[0] ?? ''}`,
  }));
  return { wanted: distinct.filter((blob) => !isExternal(blob)), external };
}

/** Layers with an address of their own, which registries need not keep: image-spec 1.1.1, layer.md, "Non-Distributable Layers". */
function isExternal({ mediaType, urls = [] }: Descriptor): boolean {
  return urls.length > 0 && /\.nondistributable\.|\.foreign\./.test(mediaType);
}

async function probeBlobs(destination: WritableSource, blobs: readonly Descriptor[]): Promise<readonly CopyBlob[]> {
  const probe = async (blob: Descriptor): Promise<CopyBlob> => {
    const isThere = await onSide('destination', async () => (await destination.hasBlob?.(blob)) === true);
    return { digest: blob.digest, size: blob.size, outcome: isThere ? 'present' : 'missing' };
  };
  return Array.fromAsync(mapParallel(blobs, LIMITS.parallelFetches, probe));
}
