import type { Annotations, Descriptor } from '../oci/descriptor.ts';
import { digestOf } from '../oci/digest.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';

/** Something to attach to an image: image-spec 1.1.1, manifest.md, "Guidelines for Artifact Usage". */
export interface Artifact {
  readonly artifactType: string;
  readonly layers: readonly ArtifactLayer[];
  readonly annotations: Annotations;
  /** The empty configuration when absent. */
  readonly config?: ArtifactConfig;
}

export interface ArtifactLayer {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly annotations?: Annotations;
}

export interface ArtifactConfig {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  /** Written into the descriptor of the configuration, where cosign looks for it. */
  readonly artifactType?: string;
}

export const CREATED_ANNOTATION = 'org.opencontainers.image.created';
const BUNDLE_CONTENT_ANNOTATION = 'dev.sigstore.bundle.content';
export const BUNDLE_PREDICATE_ANNOTATION = 'dev.sigstore.bundle.predicateType';

const EMPTY_CONFIG: ArtifactConfig = { mediaType: MEDIA_TYPES.ociEmpty, bytes: new TextEncoder().encode('{}') };

/**
 * A Sigstore bundle as cosign v3 attaches it. The type in the descriptor of the configuration is no mistake: `cosign clean`
 * finds what it may delete by it.
 */
export function bundleArtifact(bundleBytes: Uint8Array, predicateType: string, createdAt: Date): Artifact {
  return {
    artifactType: MEDIA_TYPES.sigstoreBundle,
    config: { ...EMPTY_CONFIG, artifactType: MEDIA_TYPES.sigstoreBundle },
    layers: [{ mediaType: MEDIA_TYPES.sigstoreBundle, bytes: bundleBytes }],
    annotations: {
      [BUNDLE_CONTENT_ANNOTATION]: 'dsse-envelope',
      [BUNDLE_PREDICATE_ANNOTATION]: predicateType,
      [CREATED_ANNOTATION]: wholeSeconds(createdAt),
    },
  };
}

/** RFC 3339 in UTC without a fraction: `2026-01-31T12:00:00Z`. */
export function wholeSeconds(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z');
}

export interface ArtifactManifest {
  readonly bytes: Uint8Array;
  readonly config: ArtifactBlob;
  readonly layers: readonly ArtifactBlob[];
}

export interface ArtifactBlob {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** The manifest that ties an artifact to its subject. The same input gives the same bytes, in the order of fields cosign has. */
export function artifactManifest(subject: Descriptor, artifact: Artifact): ArtifactManifest {
  const config = artifactBlob(artifact.config ?? EMPTY_CONFIG);
  // A manifest should have a layer; the empty one stands for none.
  const layers = (artifact.layers.length === 0 ? [EMPTY_CONFIG] : artifact.layers).map(artifactBlob);
  const { mediaType, size, digest } = subject;
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
    annotations: sortedByKey(artifact.annotations),
    subject: { mediaType, size, digest },
    artifactType: artifact.artifactType,
  };
  return { bytes: Buffer.from(JSON.stringify(manifest)), config, layers };
}

function artifactBlob({ mediaType, bytes, annotations, artifactType }: ArtifactLayer & ArtifactConfig): ArtifactBlob {
  const descriptor: Descriptor = {
    mediaType,
    size: bytes.length,
    digest: digestOf(bytes),
    ...(annotations === undefined ? {} : { annotations: sortedByKey(annotations) }),
    ...(artifactType === undefined ? {} : { artifactType }),
  };
  return { descriptor, bytes };
}

function sortedByKey(annotations: Annotations): Annotations {
  return Object.fromEntries(Object.entries(annotations).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
