import { BoltsealError, messageOf } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import {
  asArray,
  asObject,
  asString,
  asStringMap,
  optional,
  required,
  ShapeError,
  type JsonObject,
} from '../base/shape.ts';
import { readDescriptor, type Annotations, type Descriptor } from './descriptor.ts';
import { isImageManifestType, isIndexType, MEDIA_TYPES } from './media-types.ts';

interface ManifestFields {
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly subject?: Descriptor;
  readonly annotations: Annotations;
}

/** image-spec 1.1.1, manifest.md (and Docker's schema 2, which it descends from). */
export interface ImageManifest extends ManifestFields {
  readonly kind: 'image';
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** image-spec 1.1.1, image-index.md (and Docker's manifest list). */
export interface ImageIndex extends ManifestFields {
  readonly kind: 'index';
  readonly manifests: readonly Descriptor[];
}

export type Manifest = ImageManifest | ImageIndex;

/**
 * Parses a manifest or index from bytes that were already checked against their digest.
 * `contentType` is what the source said it is; a body that names another type is refused (CVE-2021-41190), and so is one
 * that could be read both ways.
 *
 * @throws BoltsealError JSON_INVALID, MANIFEST_INVALID, MEDIA_TYPE_UNSUPPORTED, LIMIT_EXCEEDED
 */
export function parseManifest(bytes: Uint8Array, contentType: string | undefined, what: string): Manifest {
  const value = parseJson(bytes, { what, maxBytes: LIMITS.manifestBytes });
  try {
    const object = asObject(value, 'the manifest');
    const mediaType = mediaTypeOf(object, contentType);
    if (isIndexType(mediaType)) return readIndex(object, mediaType);
    if (isImageManifestType(mediaType)) return readImage(object, mediaType);
    throw new BoltsealError(
      'MEDIA_TYPE_UNSUPPORTED',
      `${what} is of type ${mediaType}, which is neither an image nor an index`,
      {
        hint: 'boltseal reads OCI images and indexes and Docker schema 2. Push the image again with a current tool.',
      },
    );
  } catch (cause) {
    if (!(cause instanceof ShapeError)) throw cause;
    throw new BoltsealError('MANIFEST_INVALID', `${what} is malformed: ${messageOf(cause)}`, {
      hint: 'The manifest does not follow the OCI image specification. Rebuild or push the image with another tool.',
      cause,
    });
  }
}

function mediaTypeOf(object: JsonObject, contentType: string | undefined): string {
  const declared = optional(object, 'mediaType', asString);
  const sent = contentType?.split(';')[0]?.trim().toLowerCase();
  const sentIsManifest = sent !== undefined && (isIndexType(sent) || isImageManifestType(sent));
  if (declared !== undefined && sentIsManifest && declared !== sent) {
    throw new ShapeError(`the body says it is ${declared} but was sent as ${sent}`);
  }
  if (Object.hasOwn(object, 'manifests') && (Object.hasOwn(object, 'layers') || Object.hasOwn(object, 'config'))) {
    throw new ShapeError('it has both the fields of an index and those of an image');
  }
  return (
    declared ??
    (sentIsManifest ? sent : Object.hasOwn(object, 'manifests') ? MEDIA_TYPES.ociIndex : MEDIA_TYPES.ociManifest)
  );
}

function readIndex(object: JsonObject, mediaType: string): ImageIndex {
  const manifests = required(object, 'manifests', asArray).map((entry, at) =>
    readDescriptor(entry, `manifests[${at}]`),
  );
  return { kind: 'index', ...readFields(object, mediaType), manifests };
}

function readImage(object: JsonObject, mediaType: string): ImageManifest {
  const layers = required(object, 'layers', asArray).map((entry, at) => readDescriptor(entry, `layers[${at}]`));
  if (layers.length > LIMITS.layersPerImage)
    throw new ShapeError(`it has ${layers.length} layers, more than ${LIMITS.layersPerImage}`);
  return {
    kind: 'image',
    ...readFields(object, mediaType),
    config: required(object, 'config', readDescriptor),
    layers,
  };
}

function readFields(object: JsonObject, mediaType: string): ManifestFields {
  if (object['schemaVersion'] !== 2) throw new ShapeError('schemaVersion should be 2');
  const artifactType = optional(object, 'artifactType', asString);
  const subject = optional(object, 'subject', readDescriptor);
  return {
    mediaType,
    ...(artifactType === undefined || artifactType === '' ? {} : { artifactType }),
    ...(subject === undefined ? {} : { subject }),
    annotations: optional(object, 'annotations', asStringMap) ?? {},
  };
}

/** What a referrers listing says of this manifest's type: distribution-spec 1.1.1, "Listing Referrers". */
export function artifactTypeOf(manifest: Manifest): string | undefined {
  return manifest.artifactType ?? (manifest.kind === 'image' ? manifest.config.mediaType : undefined);
}

/** The descriptor `{}` of image-spec 1.1.1, manifest.md#guidance-for-an-empty-descriptor, and its two bytes. */
export const EMPTY_BLOB: Uint8Array = new TextEncoder().encode('{}');
export const EMPTY_DESCRIPTOR: Descriptor = readDescriptor(
  {
    mediaType: MEDIA_TYPES.ociEmpty,
    size: 2,
    digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
  },
  'empty',
);
