import type { Context } from '../base/context.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { ContentWriter } from '../source/source.ts';
import { artifactManifest, CREATED_ANNOTATION, wholeSeconds, type Artifact } from './artifact.ts';

/**
 * Stores an artifact and makes it a referrer of `subject`: its blobs, then a manifest with the subject in it (image-spec
 * 1.1.1, manifest.md). The time of creation is noted unless the artifact has one. Returns the manifest's descriptor.
 *
 * @throws BoltsealError REFERRERS_UPDATE_FAILED and the target's own codes
 */
export async function attachArtifact(
  target: ContentWriter,
  subject: Descriptor,
  artifact: Artifact,
  context: Context,
): Promise<Descriptor> {
  const annotations = { [CREATED_ANNOTATION]: wholeSeconds(context.now()), ...artifact.annotations };
  const manifest = artifactManifest(subject, { ...artifact, annotations });
  const blobs = new Map([manifest.config, ...manifest.layers].map((blob) => [blob.descriptor.digest, blob]));
  await Promise.all([...blobs.values()].map(({ descriptor, bytes }) => target.writeBlob(descriptor, () => bytes)));
  return target.writeManifest(manifest.bytes);
}
