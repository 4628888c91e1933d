import { BoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Digest } from '../oci/digest.ts';
import { formatReference } from '../oci/reference.ts';
import type { StoredManifest, WritableSource } from '../source/source.ts';
import { BUILDKIT_SUBJECT, isBuildKitAttestation, type CopySource, type LeftOut } from './copy-graph.ts';
import { onSide } from './copy-side.ts';
import { canReadTags, isCosignTag, isFallbackTag } from './cosign-tags.ts';
import { mapParallel } from './parallel.ts';

/** Tags by name, or every tag of the repository. */
export type CopyTags = readonly string[] | 'all';

/** An image that was named to be copied, and the tags it has at the destination. */
export interface CopiedImage {
  readonly digest: Digest;
  readonly tags: readonly string[];
}

export interface ChosenRoots {
  readonly images: readonly CopiedImage[];
  /** What the names stand for and is left behind. */
  readonly narrowed: readonly LeftOut[];
}

interface Choice {
  readonly tags?: CopyTags;
  readonly choose?: (named: StoredManifest) => Promise<Digest>;
  readonly includeReferrers?: boolean;
}

/**
 * What the names stand for, looked up once; everything after this speaks digests.
 *
 * @throws BoltsealError NOT_FOUND, USAGE, and the source's codes
 */
export async function chooseRoots(
  { source, destination }: { readonly source: CopySource; readonly destination: WritableSource },
  options: Choice,
): Promise<ChosenRoots> {
  const named = options.tags === undefined ? [await nameOne(source, destination)] : await nameTags(source, options);
  const narrowed = new Map<Digest, string>();
  const images = new Map<Digest, string[]>();
  for (const { digest, tag } of named) {
    const chosen = await narrow(source, { digest, choose: options.choose, narrowed });
    const known = images.get(chosen) ?? [];
    images.set(chosen, tag === undefined || known.includes(tag) ? known : [...known, tag]);
  }
  checkDigest(destination, [...images.keys()]);
  return {
    images: [...images].map(([digest, tags]) => ({ digest, tags })),
    narrowed: [...narrowed].map(([digest, why]) => ({ digest, why })),
  };
}

interface Name {
  readonly digest: Digest;
  readonly tag?: string;
}

async function nameOne(source: CopySource, { reference }: WritableSource): Promise<Name> {
  const digest = await onSide('source', () => source.resolve());
  return { digest, ...(reference.tag === undefined ? {} : { tag: reference.tag }) };
}

async function nameTags(source: CopySource, { tags = [], includeReferrers = true }: Choice): Promise<readonly Name[]> {
  if (!canReadTags(source)) {
    throw new BoltsealError('USAGE', `${formatReference(source.reference)} has no tags to choose from`, {
      hint: 'Copy it without choosing tags.',
    });
  }
  const all = tags === 'all' ? await onSide('source', () => source.listTags()) : tags;
  const wanted =
    tags === 'all' ? all.filter((tag) => !isFallbackTag(tag) && (includeReferrers || !isCosignTag(tag))) : all;
  const found = mapParallel([...new Set(wanted)], LIMITS.parallelFetches, async (tag): Promise<Name> => {
    const digest = await onSide('source', () => source.findTag(tag));
    if (digest !== undefined) return { tag, digest };
    throw new BoltsealError('NOT_FOUND', `${formatReference(source.reference)} has no tag "${tag}"`, {
      hint: 'Check the spelling. Nothing was copied.',
    });
  });
  return Array.fromAsync(found);
}

interface Narrowing {
  readonly digest: Digest;
  readonly choose: Choice['choose'];
  readonly narrowed: Map<Digest, string>;
}

async function narrow(source: CopySource, { digest, choose, narrowed }: Narrowing): Promise<Digest> {
  if (choose === undefined) return digest;
  const stored = await onSide('source', () => source.readManifest(digest));
  const chosen = await choose(stored);
  if (chosen === digest) return digest;
  narrowed.set(digest, 'only one of its images was asked for; the index and what refers to it stay');
  for (const child of stored.manifest.kind === 'index' ? stored.manifest.manifests : []) {
    if (isBuildKitAttestation(child) && child.annotations?.[BUILDKIT_SUBJECT] === chosen)
      narrowed.set(child.digest, "BuildKit's attestation belongs to the index and not to the image alone");
  }
  return chosen;
}

/** A digest in the destination's name is a promise of what will be there. */
function checkDigest({ reference }: WritableSource, digests: readonly Digest[]): void {
  const wrong = reference.digest === undefined ? undefined : digests.find((digest) => digest !== reference.digest);
  if (wrong === undefined) return;
  throw new BoltsealError('USAGE', `the destination names ${reference.digest ?? ''}, but the image is ${wrong}`, {
    hint: 'Name the destination by a tag, or correct the digest. Nothing was copied.',
  });
}
