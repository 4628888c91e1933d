import { LIMITS } from '../base/limits.ts';
import { algorithmOf, encodedOf, type Digest } from '../oci/digest.ts';
import type { TagReader } from '../source/source.ts';
import { mapParallel } from './parallel.ts';

/** What cosign attached before there were referrers: `sha256-<hex>.sig` and its like, tags that end in the kind. */
export const COSIGN_KINDS = ['sig', 'att', 'sbom'] as const;
export type CosignKind = (typeof COSIGN_KINDS)[number];

export interface CosignTag {
  readonly tag: string;
  readonly kind: CosignKind;
  /** The image that the tag's name speaks of. */
  readonly about: Digest;
  /** What the tag stands for. */
  readonly digest: Digest;
}

/**
 * The cosign tags of these manifests that are there, each asked for by its name: a list of all tags of a busy repository is
 * longer. A registry that reads the tag as the digest in its name answers with the image itself, which is no attachment.
 */
export async function findCosignTags(
  source: Pick<TagReader, 'findTag'>,
  digests: readonly Digest[],
): Promise<readonly CosignTag[]> {
  const names = digests.flatMap((about) =>
    COSIGN_KINDS.map((kind) => ({ about, kind, tag: `${algorithmOf(about)}-${encodedOf(about)}.${kind}` })),
  );
  // A sha512 name is longer than a tag can be, so nobody could have written it.
  const possible = names.filter(({ tag }) => tag.length <= MAX_TAG);
  const found = mapParallel(possible, LIMITS.parallelFetches, async (name) => {
    const digest = await source.findTag(name.tag);
    return digest === undefined || digest === name.about ? [] : [{ ...name, digest }];
  });
  return (await Array.fromAsync(found)).flat();
}

const MAX_TAG = 128;

/** `sha256-<hex>`: a list of referrers that clients keep, not an image. */
export function isFallbackTag(tag: string): boolean {
  return /^sha(?:256|512)-[0-9a-f]{64}$/.test(tag);
}

/** Whether tags can be looked up there. */
export function canReadTags<S extends Partial<TagReader>>(source: S): source is S & TagReader {
  return source.findTag !== undefined && source.listTags !== undefined;
}

/** A tag of the form cosign gives to its attachments. */
export function isCosignTag(tag: string): boolean {
  return /^sha256-[0-9a-f]{64}\.(?:sig|att|sbom)$/.test(tag);
}
