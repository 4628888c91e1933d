import { LIMITS } from '../base/limits.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { isImageManifestType, isIndexType } from '../oci/media-types.ts';
import { BoltsealError } from '../base/errors.ts';
import type { LayoutFiles } from './layout-files.ts';
import { invalidLayout, readLayoutIndex, type LayoutIndex } from './layout-index.ts';
import { findLayoutManifest, readLayoutManifest } from './layout-reader.ts';
import { describeReferrer, referrersTag } from './referrer-entry.ts';
import type { StoredManifest } from './source.ts';

export function isReferrersTag(tag: string): boolean {
  return /^sha(?:256|512)-[0-9a-f]{64}$/.test(tag);
}

/**
 * The referrers of a subject in a layout, for which there is no standard yet: manifests in `index.json`, or in an index there,
 * that name the subject (as oras writes them), and those that the subject's fallback tag lists (as regctl writes them).
 *
 * @throws BoltsealError LAYOUT_INVALID, DIGEST_MISMATCH, LIMIT_EXCEEDED …: what cannot be read might be a referrer
 */
export async function listLayoutReferrers(
  files: LayoutFiles,
  subject: Digest,
  artifactType: string | undefined,
): Promise<readonly Descriptor[]> {
  const index = await readLayoutIndex(files);
  const found = [...(await findBySubject(files, index, subject)), ...(await readFallback(files, index, subject))];
  const distinct = new Map(found.toReversed().map((descriptor) => [descriptor.digest, descriptor]));
  return [...distinct.values()]
    .toReversed()
    .filter((entry) => artifactType === undefined || (entry.artifactType ?? artifactType) === artifactType);
}

/** The index under a subject's fallback tag. Undefined when there is none. */
export async function findFallback(
  files: LayoutFiles,
  { entries }: LayoutIndex,
  subject: Digest,
): Promise<StoredManifest | undefined> {
  const tag = referrersTag(subject);
  const [entry] = entries.filter((candidate) => candidate.tag === tag);
  return entry === undefined ? undefined : readLayoutManifest(files, entry.descriptor.digest);
}

async function readFallback(files: LayoutFiles, index: LayoutIndex, subject: Digest): Promise<readonly Descriptor[]> {
  const fallback = await findFallback(files, index, subject);
  if (fallback === undefined) return [];
  if (fallback.manifest.kind === 'index') return fallback.manifest.manifests;
  throw invalidLayout(files, `its tag ${referrersTag(subject)} is an image and not a list of referrers`);
}

async function findBySubject(files: LayoutFiles, index: LayoutIndex, subject: Digest): Promise<readonly Descriptor[]> {
  const found: Descriptor[] = [];
  const queue = index.entries.map(({ descriptor }) => ({ descriptor, isListed: true }));
  const seen = new Set<Digest>();
  for (const { descriptor, isListed } of queue) {
    const isManifest = isIndexType(descriptor.mediaType) || isImageManifestType(descriptor.mediaType);
    if (!isManifest || seen.has(descriptor.digest)) continue;
    seen.add(descriptor.digest);
    if (seen.size > LIMITS.referrersPerSubject) throw tooMany(files);
    const stored = await findLayoutManifest(files, descriptor.digest);
    if (stored === undefined && isListed)
      throw invalidLayout(files, `its index.json lists ${descriptor.digest}, which is not there`);
    if (stored?.manifest.subject?.digest === subject) found.push(describeReferrer(stored));
    if (stored?.manifest.kind === 'index')
      queue.push(...stored.manifest.manifests.map((child) => ({ descriptor: child, isListed: false })));
  }
  return found;
}

function tooMany(files: LayoutFiles): BoltsealError {
  return new BoltsealError('LIMIT_EXCEEDED', `${files.name} holds more than ${LIMITS.referrersPerSubject} manifests`, {
    hint: 'Its referrers cannot be listed. Copy the image with what belongs to it to a layout of its own.',
  });
}
