import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { parseImageConfig } from '../oci/config.ts';
import type { Digest } from '../oci/digest.ts';
import { artifactTypeOf, type ImageManifest } from '../oci/manifest.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import { formatPlatform, matchesPlatform, type Platform } from '../oci/platform.ts';
import { readBlobBytes } from '../source/read-blob.ts';
import type { BlobReader, ManifestReader } from '../source/source.ts';
import { choosePlatform } from './choose-platform.ts';
import type { Image, Layer } from './image.ts';

interface LoadOptions {
  /** Which image of an index; what it leaves open matches anything. An image without an index must match it too. */
  readonly platform?: Platform;
}

/**
 * Reads one platform's image: its manifest and configuration, checked against each other. No layer is read.
 *
 * @throws BoltsealError PLATFORM_AMBIGUOUS, PLATFORM_NOT_FOUND, MEDIA_TYPE_UNSUPPORTED for an artifact that is no image,
 *   MANIFEST_INVALID, LIMIT_EXCEEDED, and the source's codes
 */
export async function loadImage(
  source: ManifestReader & BlobReader,
  digest: Digest,
  options: LoadOptions,
  context: Context,
): Promise<Image> {
  context.signal.throwIfAborted();
  const stored = await source.readManifest(digest);
  const chosen =
    stored.manifest.kind === 'index'
      ? await choosePlatform(source, { index: stored.manifest, digest }, options.platform)
      : { ...stored, manifest: stored.manifest };
  const { manifest } = chosen;
  checkIsImage(manifest, chosen.digest);
  const what = `the configuration of ${chosen.digest}`;
  const bytes = await readBlobBytes(source, manifest.config, { what, maxBytes: LIMITS.configBytes });
  const config = parseImageConfig(bytes, what);
  checkPlatform(config.platform, options.platform, chosen.digest);
  return {
    digest: chosen.digest,
    size: chosen.bytes.length,
    manifest,
    config,
    layers: pairLayers(manifest, config.diffIds, chosen.digest),
    ...(stored.manifest.kind === 'index' ? { indexDigest: digest } : {}),
  };
}

function checkIsImage(manifest: ImageManifest, digest: Digest): void {
  if (CONFIG_TYPES.has(manifest.config.mediaType)) return;
  const type = artifactTypeOf(manifest) ?? manifest.config.mediaType;
  throw new BoltsealError('MEDIA_TYPE_UNSUPPORTED', `${digest} is an artifact of type ${type}, not a container image`, {
    hint: 'Name an image. What is attached to an image is read with the commands for that, such as discover and verify.',
  });
}

function checkPlatform(found: Platform, wanted: Platform | undefined, digest: Digest): void {
  if (wanted === undefined || matchesPlatform(wanted, found)) return;
  throw new BoltsealError(
    'PLATFORM_NOT_FOUND',
    `${digest} is an image for ${formatPlatform(found)}, not for ${formatPlatform(wanted)}`,
    { hint: `Leave --platform out, or write --platform ${formatPlatform(found)}.` },
  );
}

function pairLayers(manifest: ImageManifest, diffIds: readonly Digest[], digest: Digest): readonly Layer[] {
  const layers = manifest.layers.flatMap((descriptor, index): readonly Layer[] => {
    const diffId = diffIds[index];
    return diffId === undefined ? [] : [{ index, descriptor, diffId }];
  });
  if (layers.length === manifest.layers.length && layers.length === diffIds.length) return layers;
  throw new BoltsealError(
    'MANIFEST_INVALID',
    `${digest} has ${manifest.layers.length} layers, but its configuration names ${diffIds.length}`,
    { hint: 'Manifest and configuration do not belong together. Build and push the image again.' },
  );
}

const CONFIG_TYPES: ReadonlySet<string> = new Set([MEDIA_TYPES.ociConfig, MEDIA_TYPES.dockerConfig]);
