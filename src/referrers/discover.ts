import { BoltsealError, isBoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { artifactTypeOf, type Manifest } from '../oci/manifest.ts';
import type { ManifestReader, ReferrerLister } from '../source/source.ts';
import { CONTENT_ERRORS } from './content-errors.ts';
import { mapParallel } from './parallel.ts';

/** One manifest in the tree of what refers to an image, and what refers to it in turn. */
export interface ReferrerNode {
  readonly digest: Digest;
  /** As its own manifest says where that could be read, else as listed. Absent at the root, which nobody lists. */
  readonly descriptor?: Descriptor;
  /** Why the entry does not count: it lies about its subject, is missing or damaged. */
  readonly rejected?: string;
  /** Why what refers to it was not looked for. */
  readonly unexplored?: string;
  readonly referrers: readonly ReferrerNode[];
}

export interface DiscoverOptions {
  /** Levels below the image; at most, and when absent, LIMITS.discoverDepth. */
  readonly depth?: number;
  /** Only these at the first level; what refers to them is listed whole. */
  readonly artifactType?: string;
}

export type DiscoverSource = ReferrerLister & ManifestReader;

/**
 * The tree of what refers to `subject`. Every entry's manifest is read, and one whose subject is another is marked as
 * rejected, not left out.
 *
 * @throws BoltsealError the source's own codes when a list cannot be had, LIMIT_EXCEEDED
 */
export async function discoverReferrers(
  source: DiscoverSource,
  subject: Digest,
  options: DiscoverOptions = {},
): Promise<ReferrerNode> {
  const depth = Math.min(options.depth ?? LIMITS.discoverDepth, LIMITS.discoverDepth);
  const walk: Walk = { source, filter: options.artifactType, count: { nodes: 0 } };
  return { digest: subject, referrers: await childrenOf(subject, walk, depth) };
}

interface Walk {
  readonly source: DiscoverSource;
  readonly filter: string | undefined;
  /** Of the whole tree. */
  readonly count: { nodes: number };
}

async function childrenOf(subject: Digest, walk: Walk, depth: number): Promise<readonly ReferrerNode[]> {
  const { source, filter } = walk;
  const listed = await source.listReferrers(subject, filter === undefined ? {} : { artifactType: filter });
  walk.count.nodes += listed.length;
  if (walk.count.nodes > LIMITS.referrersPerSubject) throw tooMany(subject);
  const below: Walk = { ...walk, filter: undefined };
  const visit = (entry: Descriptor): Promise<ReferrerNode> => visitEntry({ entry, subject, depth }, below);
  const nodes = await Array.fromAsync(mapParallel(listed, LIMITS.parallelFetches, visit));
  // Entries of unknown type were kept for us to look at: now their manifests have said what they are.
  return nodes.filter(
    ({ descriptor, rejected }) => filter === undefined || rejected !== undefined || descriptor?.artifactType === filter,
  );
}

interface Visit {
  readonly entry: Descriptor;
  readonly subject: Digest;
  readonly depth: number;
}

/**
 * Goes below an entry only when its own bytes name the parent as subject. Those bytes were checked against their digest, so a
 * list that runs in a circle would need a hash that contains itself: every way down ends.
 */
async function visitEntry({ entry, subject, depth }: Visit, walk: Walk): Promise<ReferrerNode> {
  const { digest } = entry;
  const manifest = await readReferrer(walk.source, digest);
  if (typeof manifest === 'string') return { digest, descriptor: entry, rejected: manifest, referrers: [] };
  const descriptor = describe(entry, manifest);
  const about = manifest.subject?.digest;
  if (about !== subject) {
    return {
      digest,
      descriptor,
      rejected: `it is listed for ${subject} but refers to ${about ?? 'nothing'}`,
      referrers: [],
    };
  }
  if (depth <= 1) return { digest, descriptor, unexplored: 'the tree is shown to this depth', referrers: [] };
  return { digest, descriptor, referrers: await childrenOf(digest, walk, depth - 1) };
}

function tooMany(subject: Digest): BoltsealError {
  return new BoltsealError('LIMIT_EXCEEDED', `more than ${LIMITS.referrersPerSubject} artifacts refer to ${subject}`, {
    hint: 'Ask for fewer levels, or for one artifact type.',
  });
}

/** The manifest, or why this entry cannot be used. */
async function readReferrer(source: ManifestReader, digest: Digest): Promise<Manifest | string> {
  try {
    return (await source.readManifest(digest)).manifest;
  } catch (error) {
    if (isBoltsealError(error, ...CONTENT_ERRORS)) return error.message;
    throw error;
  }
}

/** Old lists have the wrong type and no annotations; the manifest itself knows. */
function describe(entry: Descriptor, manifest: Manifest): Descriptor {
  const { artifactType: _listed, annotations: _claimed, ...rest } = entry;
  const artifactType = artifactTypeOf(manifest);
  return { ...rest, ...(artifactType === undefined ? {} : { artifactType }), annotations: manifest.annotations };
}
