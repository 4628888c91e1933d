import type { Context } from '../base/context.ts';
import { choosePlatform } from '../image/choose-platform.ts';
import type { Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/platform.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import { copyImage } from '../referrers/copy.ts';
import type { CopyResult } from '../referrers/copy-result.ts';
import type { CopyTags } from '../referrers/copy-roots.ts';
import { recogniseReference } from '../source/recognise.ts';
import { openRegistrySession } from '../source/registry/session.ts';
import type { ManifestReader, StoredManifest } from '../source/source.ts';
import { openDestination } from './open-destination.ts';
import { openImage, type RegistryAccess } from './open-image.ts';

export interface CopyImageOptions {
  /** How the destination's registry is spoken to; the source's, too, when it is the same registry or the only one. */
  readonly registry?: RegistryAccess;
  /** How the source's registry is spoken to, when it is another one. */
  readonly sourceRegistry?: RegistryAccess;
  /** Only this platform's image of an index. */
  readonly platform?: Platform;
  readonly tags?: CopyTags;
  readonly includeReferrers?: boolean;
  readonly dryRun?: boolean;
}

export interface CopiedImages extends CopyResult {
  readonly source: string;
  readonly destination: string;
}

/**
 * Copies an image with everything that refers to it. Credentials that were given for one registry are not shown to another.
 *
 * @throws BoltsealError the codes of references, files and registries, COPY_INCOMPLETE
 */
export async function copyNamedImage(
  from: string,
  to: string,
  options: CopyImageOptions,
  context: Context,
): Promise<CopiedImages> {
  const { platform, registry = {}, tags, includeReferrers, dryRun = false } = options;
  await using session = openRegistrySession(registry, context);
  const [{ reference: here }, { reference: there }] = [
    await recogniseReference(from, context),
    await recogniseReference(to, context),
  ];
  const sourceAccess = { ...(isOtherRegistry(here, there) ? {} : registry), ...options.sourceRegistry };
  await using source = await openImage(from, { registry: { ...sourceAccess, session } }, context);
  await using destination = await openDestination(to, { registry: { ...registry, session }, dryRun }, context);
  const choose = platform === undefined ? undefined : chooser(source, platform);
  const result = await copyImage(
    { source, destination },
    {
      dryRun,
      ...(tags === undefined ? {} : { tags }),
      ...(choose === undefined ? {} : { choose }),
      ...(includeReferrers === undefined ? {} : { includeReferrers }),
    },
    context,
  );
  return { source: formatReference(here), destination: formatReference(there), ...result };
}

function isOtherRegistry(source: Reference, destination: Reference): boolean {
  return source.kind === 'registry' && destination.kind === 'registry' && source.host !== destination.host;
}

function chooser(source: ManifestReader, platform: Platform): (named: StoredManifest) => Promise<Digest> {
  return async ({ digest, manifest }) =>
    manifest.kind === 'image' ? digest : (await choosePlatform(source, { index: manifest, digest }, platform)).digest;
}
