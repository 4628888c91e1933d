import { BoltsealError, isBoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { artifactTypeOf, type Manifest } from '../oci/manifest.ts';
import type { ManifestReader, ReferrerLister, StoredManifest, TagReader } from '../source/source.ts';
import { CONTENT_ERRORS } from './content-errors.ts';
import { BUILDKIT_SUBJECT, childrenOf, isBuildKitAttestation } from './copy-graph.ts';
import { canReadTags, findCosignTags, type CosignTag } from './cosign-tags.ts';
import { discoverReferrers, type ReferrerNode } from './discover.ts';
import { mapParallel } from './parallel.ts';

/** How a manifest hangs on the one above it. */
export type TreeRelation =
  /** The root, or an image or index within an index. */
  | 'image'
  /** BuildKit's attestation: a child of the index, shown below the image it is about. */
  | 'attestation'
  | 'referrer'
  /** What one of cosign's tags stands for. */
  | 'cosign';

export interface ImageTreeNode {
  readonly digest: Digest;
  readonly relation: TreeRelation;
  /** As its own manifest says where that could be read, else as listed. Absent for what could not be read. */
  readonly descriptor?: Descriptor;
  /** The layers of an attestation or of cosign's attachments, which say what it is. */
  readonly contents?: readonly Descriptor[];
  /** Of a `cosign` node. */
  readonly tag?: string;
  /** Why the entry does not count: it lies about its subject, is missing or damaged. */
  readonly rejected?: string;
  /** Why what is below it was not looked for. */
  readonly unexplored?: string;
  readonly below: readonly ImageTreeNode[];
}

export interface TreeOptions {
  /** Levels below the root; at most, and when absent, LIMITS.discoverDepth. */
  readonly depth?: number;
}

export type TreeSource = ManifestReader & ReferrerLister & Partial<TagReader>;

/**
 * Everything that hangs on an image, in one tree: the images of an index, what refers to each of them and to the index, what
 * refers to that, BuildKit's attestations, and what cosign's tags name. What cannot be used is marked, not left out.
 *
 * @throws BoltsealError the source's own codes when the root or a list cannot be had, LIMIT_EXCEEDED
 */
export async function readImageTree(
  source: TreeSource,
  root: Digest,
  options: TreeOptions = {},
): Promise<ImageTreeNode> {
  const depth = Math.min(options.depth ?? LIMITS.discoverDepth, LIMITS.discoverDepth);
  const { bytes, manifest } = await source.readManifest(root);
  const descriptor = { mediaType: manifest.mediaType, digest: root, size: bytes.length };
  return growImage({ descriptor, manifest, depth }, { source, count: { nodes: 0 } });
}

interface Growth {
  readonly source: TreeSource;
  /** Of the whole tree. */
  readonly count: { nodes: number };
}

interface Found {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  /** Levels that may be shown below it. */
  readonly depth: number;
}

async function growImage({ descriptor, manifest, depth }: Found, growth: Growth): Promise<ImageTreeNode> {
  const { digest } = descriptor;
  const node = { digest, relation: 'image', descriptor } as const;
  if (depth < 1) return { ...node, unexplored: DEPTH_REACHED, below: [] };
  const children = childrenOf(manifest);
  const attestations = children.filter(isBuildKitAttestation);
  const images = children.filter((child) => !isBuildKitAttestation(child));
  const grow = async (child: Descriptor): Promise<ImageTreeNode> => {
    const about = attestations.filter(({ annotations }) => annotations?.[BUILDKIT_SUBJECT] === child.digest);
    const grown = await growChild(child, depth - 1, growth);
    const attached = depth < 2 ? [] : await growAll(about, (entry) => growAttestation(entry, depth - 2, growth));
    return { ...grown, below: [...grown.below, ...attached] };
  };
  const known = new Set<string | undefined>(images.map((child) => child.digest));
  const strays = attestations.filter(({ annotations }) => !known.has(annotations?.[BUILDKIT_SUBJECT]));
  const below = [
    ...(await growReferrers(digest, depth, growth)),
    ...(await growCosign(digest, depth, growth)),
    ...(await growAll(images, grow)),
    ...(await growAll(strays, (entry) => growAttestation(entry, depth - 1, growth))),
  ];
  return { ...node, below };
}

async function growChild(child: Descriptor, depth: number, growth: Growth): Promise<ImageTreeNode> {
  const found = await readEntry(child.digest, growth);
  if (typeof found !== 'string') return growImage({ descriptor: child, manifest: found.manifest, depth }, growth);
  return { digest: child.digest, relation: 'image', descriptor: child, rejected: found, below: [] };
}

async function growReferrers(subject: Digest, depth: number, growth: Growth): Promise<readonly ImageTreeNode[]> {
  const { referrers } = await discoverReferrers(growth.source, subject, { depth });
  const convert = ({ referrers: below, ...node }: ReferrerNode): ImageTreeNode => {
    countNode(growth);
    return { ...node, relation: 'referrer', below: below.map(convert) };
  };
  return referrers.map(convert);
}

async function growCosign(about: Digest, depth: number, growth: Growth): Promise<readonly ImageTreeNode[]> {
  const { source } = growth;
  if (!canReadTags(source)) return [];
  const tags = await findCosignTags(source, [about]);
  return growAll(tags, ({ tag, digest }: CosignTag) =>
    growAttachment({ digest, depth: depth - 1, node: { digest, relation: 'cosign', tag } }, growth),
  );
}

function growAttestation(entry: Descriptor, depth: number, growth: Growth): Promise<ImageTreeNode> {
  const { digest } = entry;
  return growAttachment({ digest, depth, node: { digest, relation: 'attestation', descriptor: entry } }, growth);
}

interface Attachment {
  readonly digest: Digest;
  readonly depth: number;
  readonly node: Omit<ImageTreeNode, 'below'>;
}

/** An attestation or what cosign attached: an image manifest whose layers are the attachments. It may be referred to itself. */
async function growAttachment({ digest, depth, node }: Attachment, growth: Growth): Promise<ImageTreeNode> {
  const found = await readEntry(digest, growth);
  if (typeof found === 'string') return { ...node, rejected: found, below: [] };
  const { manifest, bytes } = found;
  const contents = manifest.kind === 'image' ? manifest.layers : [];
  const artifactType = manifest.artifactType ?? contents[0]?.mediaType ?? artifactTypeOf(manifest);
  const { mediaType, annotations } = manifest;
  const listed = node.descriptor ?? { mediaType, digest, size: bytes.length };
  const descriptor = {
    ...listed,
    ...(artifactType === undefined ? {} : { artifactType }),
    annotations: { ...listed.annotations, ...annotations },
  };
  const described = { ...node, descriptor, contents };
  if (depth < 1) return { ...described, unexplored: DEPTH_REACHED, below: [] };
  return { ...described, below: await growReferrers(digest, depth, growth) };
}

/** The manifest, or why this entry cannot be used. */
async function readEntry(digest: Digest, growth: Growth): Promise<StoredManifest | string> {
  countNode(growth);
  try {
    return await growth.source.readManifest(digest);
  } catch (error) {
    if (isBoltsealError(error, ...CONTENT_ERRORS)) return error.message;
    throw error;
  }
}

function countNode({ count }: Growth): void {
  count.nodes += 1;
  if (count.nodes <= LIMITS.referrersPerSubject) return;
  throw new BoltsealError('LIMIT_EXCEEDED', `the image comes with more than ${LIMITS.referrersPerSubject} manifests`, {
    hint: 'Ask for fewer levels, or for one platform.',
  });
}

function growAll<T>(items: readonly T[], grow: (item: T) => Promise<ImageTreeNode>): Promise<readonly ImageTreeNode[]> {
  return Array.fromAsync(mapParallel(items, LIMITS.parallelFetches, grow));
}

const DEPTH_REACHED = 'the tree is shown to this depth';
