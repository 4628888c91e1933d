import { BoltsealError, isBoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { verifyBytes, type Digest } from '../oci/digest.ts';
import type { Manifest } from '../oci/manifest.ts';
import { isSigstoreBundleType, MEDIA_TYPES } from '../oci/media-types.ts';
import { readBlobBytes } from '../source/read-blob.ts';
import type { BlobReader, ManifestReader, ReferrerLister } from '../source/source.ts';
import { BUNDLE_PREDICATE_ANNOTATION } from './artifact.ts';
import { CONTENT_ERRORS } from './content-errors.ts';
import { mapParallel } from './parallel.ts';

/** What may be a Sigstore bundle for an image. Nothing about it has been verified but its bytes. */
export type BundleCandidate =
  | {
      readonly kind: 'bundle';
      readonly manifestDigest: Digest;
      readonly bundle: Descriptor;
      readonly bytes: Uint8Array;
      /** What the manifest's annotation claims; the signed statement decides. */
      readonly predicateType?: string;
    }
  /** Listed as a bundle, but damaged, missing, or about another image. Part of the answer, never left out. */
  | { readonly kind: 'unreadable'; readonly manifestDigest: Digest; readonly error: BoltsealError };

interface ListOptions {
  /** Leaves out what is listed as another type: by its own word, so only where missing one does no harm. */
  readonly predicateType?: string;
}

export type BundleSource = ReferrerLister & ManifestReader & BlobReader;

/**
 * Every Sigstore bundle that refers to `subject`, in the order of the list, a few fetched ahead. The list is asked without a
 * filter: it is one request either way, and one type would miss bundles of other versions. Entries that do not say their type
 * are opened to find out.
 *
 * @throws BoltsealError the source's own codes when the list or an entry cannot be had (unreachable, refused, rate limited),
 * LIMIT_EXCEEDED when there are more candidates than anybody looks through
 */
export async function* listBundles(
  source: BundleSource,
  subject: Digest,
  { predicateType }: ListOptions = {},
): AsyncGenerator<BundleCandidate> {
  const candidates = (await source.listReferrers(subject)).filter(mayBeBundle).filter(mayAttest(predicateType));
  if (candidates.length > LIMITS.bundlesPerSubject) {
    const message = `${subject} has ${candidates.length} signatures and attestations, more than ${LIMITS.bundlesPerSubject}`;
    throw new BoltsealError('LIMIT_EXCEEDED', message, {
      hint: 'Delete those that are no longer needed; an image is not meant to collect so many.',
    });
  }
  const fetch = (entry: Descriptor): Promise<readonly BundleCandidate[]> => fetchCandidates({ source, subject, entry });
  for await (const found of mapParallel(candidates, LIMITS.parallelFetches, fetch)) yield* found;
}

function mayBeBundle({ artifactType }: Descriptor): boolean {
  return artifactType === undefined || artifactType === MEDIA_TYPES.ociEmpty || isSigstoreBundleType(artifactType);
}

function mayAttest(predicateType: string | undefined): (entry: Descriptor) => boolean {
  return ({ annotations }) => {
    const listed = annotations?.[BUNDLE_PREDICATE_ANNOTATION];
    return predicateType === undefined || listed === undefined || listed === predicateType;
  };
}

interface Asked {
  readonly source: BundleSource;
  readonly subject: Digest;
  readonly entry: Descriptor;
}

async function fetchCandidates(asked: Asked): Promise<readonly BundleCandidate[]> {
  const manifestDigest = asked.entry.digest;
  try {
    const { manifest } = await asked.source.readManifest(manifestDigest);
    if (!holdsBundles(asked.entry, manifest)) return [];
    checkSubject(manifest, asked);
    const predicateType = manifest.annotations[BUNDLE_PREDICATE_ANNOTATION];
    const bundles = bundleLayers(manifest).map(async (bundle): Promise<BundleCandidate> => {
      const bytes = await readBundle(asked.source, bundle);
      return {
        kind: 'bundle',
        manifestDigest,
        bundle,
        bytes,
        ...(predicateType === undefined ? {} : { predicateType }),
      };
    });
    return await Promise.all(bundles);
  } catch (error) {
    if (!isBoltsealError(error, ...CONTENT_ERRORS)) throw error;
    return [{ kind: 'unreadable', manifestDigest, error }];
  }
}

/** An entry that did not say its type is left out when its manifest says that it is something else. */
function holdsBundles({ artifactType }: Descriptor, manifest: Manifest): boolean {
  const claimed = artifactType !== undefined && isSigstoreBundleType(artifactType);
  return claimed || isSigstoreBundleType(manifest.artifactType ?? '') || bundleLayers(manifest).length > 0;
}

function bundleLayers(manifest: Manifest): readonly Descriptor[] {
  return manifest.kind === 'image' ? manifest.layers.filter(({ mediaType }) => isSigstoreBundleType(mediaType)) : [];
}

/** @throws BoltsealError MANIFEST_INVALID */
function checkSubject(manifest: Manifest, { subject, entry }: Asked): void {
  const found = manifest.subject?.digest;
  const why =
    found !== subject
      ? `is listed for ${subject} but refers to ${found ?? 'nothing'}`
      : bundleLayers(manifest).length === 0
        ? 'is listed as a Sigstore bundle but holds none'
        : undefined;
  if (why === undefined) return;
  throw new BoltsealError('MANIFEST_INVALID', `the referrer ${entry.digest} ${why}`, {
    hint: 'The list of referrers is wrong about this entry. It is not used.',
  });
}

async function readBundle(source: BlobReader, bundle: Descriptor): Promise<Uint8Array> {
  const what = `the bundle ${bundle.digest}`;
  if (bundle.data !== undefined) return verifyBytes(Buffer.from(bundle.data, 'base64'), bundle, what);
  return readBlobBytes(source, bundle, { what, maxBytes: LIMITS.bundleBytes });
}
