import type { Context } from '../base/context.ts';
import { BoltsealError, isBoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Manifest } from '../oci/manifest.ts';
import { isImageManifestType, isIndexType } from '../oci/media-types.ts';
import type { ReferrerLister, Source, StoredManifest } from '../source/source.ts';
import { onSide } from './copy-side.ts';
import { canReadTags, findCosignTags, type CosignTag } from './cosign-tags.ts';
import { mapParallel } from './parallel.ts';

/** A source that may know what refers to an image. Archives of some kinds do not. */
export type CopySource = Source & Partial<ReferrerLister>;

/** Why a manifest is part of a copy. One may be several of these; the first that was found is told. */
export type CopyRole = 'image' | 'child' | 'referrer' | 'cosign';

export interface GraphNode extends StoredManifest {
  readonly role: CopyRole;
}

/** Something that belongs to the image and is not copied, and why. */
export interface LeftOut {
  readonly digest: Digest;
  readonly why: string;
}

/** All that is copied with some images, as the source has it. */
export interface CopyGraph {
  readonly nodes: ReadonlyMap<Digest, GraphNode>;
  /** Subject → its referrers, those only that are copied. */
  readonly referrers: ReadonlyMap<Digest, readonly Digest[]>;
  readonly cosignTags: readonly CosignTag[];
  readonly leftOut: readonly LeftOut[];
}

interface Walk {
  readonly source: CopySource;
  readonly withReferrers: boolean;
  readonly nodes: Map<Digest, GraphNode>;
  readonly referrers: Map<Digest, Digest[]>;
  readonly leftOut: Map<Digest, string>;
  readonly context: Context;
}

interface Visit {
  readonly digest: Digest;
  readonly role: CopyRole;
  /** Whose list of referrers named it. */
  readonly listedFor?: Digest;
}

/**
 * Reads everything that belongs to `roots`: children of indexes, referrers of all of them and of each other, and what cosign's
 * tags name. Every manifest's bytes are checked against its digest, and a digest in it can only name what was there before
 * it, so no way through the graph is a circle; each manifest is read once however often it is named.
 *
 * @throws BoltsealError LIMIT_EXCEEDED, and the source's codes
 */
export async function readCopyGraph(
  source: CopySource,
  { roots, withReferrers }: { readonly roots: readonly Digest[]; readonly withReferrers: boolean },
  context: Context,
): Promise<CopyGraph> {
  const walk: Walk = {
    source,
    withReferrers,
    nodes: new Map(),
    referrers: new Map(),
    leftOut: new Map(),
    context,
  };
  await follow(
    roots.map((digest) => ({ digest, role: 'image' })),
    walk,
  );
  const cosignTags = withReferrers ? await followCosignTags(walk) : [];
  const leftOut = [...walk.leftOut].map(([digest, why]) => ({ digest, why }));
  return { nodes: walk.nodes, referrers: walk.referrers, cosignTags, leftOut };
}

async function followCosignTags(walk: Walk): Promise<readonly CosignTag[]> {
  const { source } = walk;
  if (!canReadTags(source)) return [];
  const nodes = [...walk.nodes.values()];
  const attestations = new Set(
    nodes.flatMap(({ manifest }) =>
      childrenOf(manifest)
        .filter(isBuildKitAttestation)
        .map(({ digest }) => digest),
    ),
  );
  const images = nodes.filter(
    ({ role, digest }) => (role === 'image' || role === 'child') && !attestations.has(digest),
  );
  const tags = await onSide('source', () =>
    findCosignTags(
      source,
      images.map(({ digest }) => digest),
    ),
  );
  await follow(
    tags.map(({ digest }) => ({ digest, role: 'cosign' })),
    walk,
  );
  return tags;
}

/** Level by level, so that a level's requests run beside each other. */
async function follow(start: readonly Visit[], walk: Walk): Promise<void> {
  for (let level = start; level.length > 0;) {
    const unread = new Map(level.filter(({ digest }) => !walk.nodes.has(digest)).map((visit) => [visit.digest, visit]));
    const read = new Map<Digest, StoredManifest | string>();
    const fetch = async (visit: Visit): Promise<readonly [Digest, StoredManifest | string]> => [
      visit.digest,
      await readVisited(visit, walk),
    ];
    for await (const [digest, found] of mapParallel([...unread.values()], LIMITS.parallelFetches, fetch))
      read.set(digest, found);
    const accepted = level.filter((visit) => accept(visit, read.get(visit.digest), walk));
    checkSize(walk);
    const below = await Array.fromAsync(
      mapParallel(accepted, LIMITS.parallelFetches, ({ digest }) => namedBy(digest, walk)),
    );
    level = below.flat();
  }
}

/** The manifest, or why it cannot be had. Only a referrer may be missing: lists go stale, but an index without its child is broken. */
async function readVisited({ digest, listedFor }: Visit, { source }: Walk): Promise<StoredManifest | string> {
  try {
    return await onSide('source', () => source.readManifest(digest));
  } catch (error) {
    if (listedFor !== undefined && isBoltsealError(error, 'NOT_FOUND', 'MEDIA_TYPE_UNSUPPORTED'))
      return `it is listed as a referrer of ${listedFor}, but ${error.message}`;
    throw error;
  }
}

/** Takes what a visit found into the graph. True when it is new, and what it names has to be followed. */
function accept({ digest, role, listedFor }: Visit, found: StoredManifest | string | undefined, walk: Walk): boolean {
  if (typeof found === 'string') return leaveOut(walk, digest, found);
  const stored = walk.nodes.get(digest) ?? found;
  if (stored === undefined) return false;
  if (listedFor !== undefined) {
    const about = stored.manifest.subject?.digest;
    if (about !== listedFor)
      return leaveOut(walk, digest, `it is listed as a referrer of ${listedFor}, but refers to ${about ?? 'nothing'}`);
    const known = walk.referrers.get(listedFor) ?? [];
    if (!known.includes(digest)) walk.referrers.set(listedFor, [...known, digest]);
  }
  if (walk.nodes.has(digest)) return false;
  walk.nodes.set(digest, { ...stored, role });
  walk.leftOut.delete(digest);
  return true;
}

function leaveOut({ nodes, leftOut, context }: Walk, digest: Digest, why: string): false {
  if (nodes.has(digest) || leftOut.has(digest)) return false;
  leftOut.set(digest, why);
  context.emit({ kind: 'warning', message: `${digest} is not copied: ${why}` });
  return false;
}

function checkSize({ nodes }: Walk): void {
  const sizeBytes = [...nodes.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (nodes.size <= LIMITS.manifestsPerCopy && sizeBytes <= LIMITS.manifestBytesPerCopy) return;
  const message = `the image comes with ${nodes.size} manifests of ${sizeBytes} bytes`;
  throw new BoltsealError('LIMIT_EXCEEDED', message, {
    hint: `At most ${LIMITS.manifestsPerCopy} and ${LIMITS.manifestBytesPerCopy} bytes are copied together. Copy fewer tags or one platform.`,
  });
}

async function namedBy(digest: Digest, walk: Walk): Promise<readonly Visit[]> {
  const manifest = walk.nodes.get(digest)?.manifest;
  if (manifest === undefined) return [];
  const children = childrenOf(manifest).map((child): Visit => ({ digest: child.digest, role: 'child' }));
  const { source } = walk;
  if (!walk.withReferrers || source.listReferrers === undefined) return children;
  const listed = await onSide('source', async () => (await source.listReferrers?.(digest)) ?? []);
  return [
    ...children,
    ...listed.map((entry): Visit => ({ digest: entry.digest, role: 'referrer', listedFor: digest })),
  ];
}

/** The manifests an index names. An entry of a type that is no manifest's is content like a layer. */
export function childrenOf(manifest: Manifest): readonly Descriptor[] {
  return manifest.kind === 'index' ? manifest.manifests.filter(isManifest) : [];
}

/** The blobs a manifest names, layers that are kept elsewhere included. */
export function blobsOf(manifest: Manifest): readonly Descriptor[] {
  if (manifest.kind === 'image') return [manifest.config, ...manifest.layers];
  return manifest.manifests.filter((entry) => !isManifest(entry));
}

/** What BuildKit knows of an image, in the index beside it: buildkit docs, attestations/attestation-storage.md. */
export function isBuildKitAttestation({ annotations }: Descriptor): boolean {
  return annotations?.[BUILDKIT_TYPE] === 'attestation-manifest';
}

export const BUILDKIT_TYPE = 'vnd.docker.reference.type';
export const BUILDKIT_SUBJECT = 'vnd.docker.reference.digest';

function isManifest({ mediaType }: Descriptor): boolean {
  return isIndexType(mediaType) || isImageManifestType(mediaType);
}
