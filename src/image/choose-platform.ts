import { BoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageIndex, ImageManifest } from '../oci/manifest.ts';
import { isImageManifestType, isIndexType, MEDIA_TYPES } from '../oci/media-types.ts';
import { formatPlatform, matchesPlatform, type Platform } from '../oci/platform.ts';
import type { ManifestReader } from '../source/source.ts';

interface Chosen {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  readonly manifest: ImageManifest;
}

/**
 * Chooses the image of an index. One candidate is taken as it is; of several, `wanted` must match one. Indexes within are
 * looked into. When several match, the one that matches exactly goes before others, and of equal ones the first, as
 * containerd does.
 *
 * @throws BoltsealError PLATFORM_AMBIGUOUS, PLATFORM_NOT_FOUND, LIMIT_EXCEEDED, and the source's codes
 */
export async function choosePlatform(
  source: ManifestReader,
  { index, digest }: { readonly index: ImageIndex; readonly digest: Digest },
  wanted: Platform | undefined,
): Promise<Chosen> {
  const candidates = await listImages(source, index);
  const offered = [...new Set(candidates.map(platformText))].toSorted();
  const chosen = candidates.length === 1 ? candidates : matching(candidates, wanted);
  const [first, ...others] = chosen;
  if (first === undefined) throw notFound(digest, wanted, offered);
  if (
    others.some((other) => platformText(other) !== platformText(first)) ||
    (wanted === undefined && others.length > 0)
  )
    throw ambiguous(digest, chosen.map(platformText));
  const stored = await source.readManifest(first.digest);
  if (stored.manifest.kind === 'image') return { ...stored, manifest: stored.manifest };
  throw new BoltsealError('MANIFEST_INVALID', `${digest} lists ${first.digest} as an image, but it is an index`, {
    hint: 'The index is malformed. Build and push the image again.',
  });
}

/**
 * The images of an index, each once: no attestations, no artifacts, and of indexes within, their images.
 *
 * @throws BoltsealError LIMIT_EXCEEDED, and the source's codes
 */
export async function listImages(source: ManifestReader, index: ImageIndex): Promise<readonly Descriptor[]> {
  return distinct(await listCandidates(source, index));
}

/** The entries of an index that are images of some platform: no attestations, no artifacts. */
async function listCandidates(source: ManifestReader, top: ImageIndex): Promise<readonly Descriptor[]> {
  const found: Descriptor[] = [];
  const open: { index: ImageIndex; depth: number }[] = [{ index: top, depth: 1 }];
  const seen = new Set<Digest>();
  for (const { index, depth } of open) {
    for (const entry of index.manifests.filter(isCandidate)) {
      if (isImageManifestType(entry.mediaType)) found.push(entry);
      if (!isIndexType(entry.mediaType) || seen.has(entry.digest)) continue;
      seen.add(entry.digest);
      if (depth >= LIMITS.indexDepth || seen.size > LIMITS.nestedIndexes) throw tooNested();
      const { manifest } = await source.readManifest(entry.digest);
      if (manifest.kind === 'index') open.push({ index: manifest, depth: depth + 1 });
    }
  }
  return found;
}

function isCandidate({ platform, annotations, artifactType }: Descriptor): boolean {
  const isUnknown = platform?.os === 'unknown' && platform.architecture === 'unknown';
  const isAttached = annotations?.['vnd.docker.reference.type'] !== undefined;
  const isArtifact = artifactType !== undefined && !CONFIG_TYPES.has(artifactType);
  return !isUnknown && !isAttached && !isArtifact;
}

function distinct(entries: readonly Descriptor[]): readonly Descriptor[] {
  return [...new Map(entries.toReversed().map((entry) => [entry.digest, entry])).values()].toReversed();
}

function matching(candidates: readonly Descriptor[], wanted: Platform | undefined): readonly Descriptor[] {
  if (wanted === undefined) return candidates;
  const matches = candidates.filter(({ platform }) => platform !== undefined && matchesPlatform(wanted, platform));
  const exact = matches.filter((entry) => platformText(entry) === formatPlatform(wanted));
  return exact.length > 0 ? exact : matches;
}

function platformText({ platform }: Descriptor): string {
  return platform === undefined ? 'no platform' : formatPlatform(platform);
}

function ambiguous(digest: Digest, offered: readonly string[]): BoltsealError {
  const platforms = [...new Set(offered)];
  const example = platforms.find((platform) => platform !== 'no platform') ?? 'linux/amd64';
  return new BoltsealError('PLATFORM_AMBIGUOUS', `${digest} is an index of several images: ${platforms.join(', ')}`, {
    hint: `Choose one with --platform, for example --platform ${example}.`,
  });
}

function notFound(digest: Digest, wanted: Platform | undefined, offered: readonly string[]): BoltsealError {
  const what = wanted === undefined ? 'no image' : `no image for ${formatPlatform(wanted)}`;
  const listed = offered.length === 0 ? 'it lists no images at all' : `it has ${offered.join(', ')}`;
  return new BoltsealError('PLATFORM_NOT_FOUND', `${digest} is an index with ${what}: ${listed}`, {
    hint:
      offered.length === 0
        ? 'Check that the reference names a container image and not a list of artifacts.'
        : `Choose one of them with --platform, for example --platform ${offered[0] ?? ''}.`,
  });
}

function tooNested(): BoltsealError {
  return new BoltsealError('LIMIT_EXCEEDED', 'an index holds too many indexes, or too deep', {
    hint: 'An index like this is refused. Name the digest of the image itself.',
  });
}

const CONFIG_TYPES: ReadonlySet<string> = new Set([MEDIA_TYPES.ociConfig, MEDIA_TYPES.dockerConfig]);
