import type { Descriptor } from '../oci/descriptor.ts';
import { algorithmOf, encodedOf, type Digest } from '../oci/digest.ts';
import { artifactTypeOf } from '../oci/manifest.ts';
import type { StoredManifest } from './source.ts';

/**
 * The tag under which a subject's referrers are listed where no API lists them: distribution-spec 1.1.1, "Referrers Tag
 * Schema". A sha512 digest is cut to what a tag can hold.
 */
export function referrersTag(subject: Digest): string {
  return `${algorithmOf(subject).slice(0, 32)}-${encodedOf(subject).slice(0, 64)}`;
}

/** What a list of referrers says of a manifest, all annotations included: distribution-spec 1.1.1, "Listing Referrers". */
export function describeReferrer({ digest, bytes, manifest }: StoredManifest): Descriptor {
  const artifactType = artifactTypeOf(manifest);
  return {
    mediaType: manifest.mediaType,
    digest,
    size: bytes.length,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(Object.keys(manifest.annotations).length === 0 ? {} : { annotations: manifest.annotations }),
  };
}
