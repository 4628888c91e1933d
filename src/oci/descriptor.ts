import { asArray, asCount, asObject, asString, asStringMap, optional, required, ShapeError } from '../base/shape.ts';
import { isDigest, type Digest } from './digest.ts';
import { readPlatform, type Platform } from './platform.ts';

export type Annotations = Readonly<Record<string, string>>;

/** Content by what it is: image-spec 1.1.1, descriptor.md. `size` is in bytes. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Annotations;
  readonly platform?: Platform;
  /** Base64 of the content itself. Whoever uses it checks it against digest and size first. */
  readonly data?: string;
  readonly urls?: readonly string[];
}

/** @throws ShapeError */
export function readDescriptor(value: unknown, where: string): Descriptor {
  const object = asObject(value, where);
  const artifactType = optional(object, 'artifactType', asString, where);
  const annotations = optional(object, 'annotations', asStringMap, where);
  const platform = optional(object, 'platform', readPlatform, where);
  const data = optional(object, 'data', asString, where);
  const urls = optional(object, 'urls', asArray, where)?.map((url) => asString(url, `${where}.urls`));
  return {
    mediaType: required(object, 'mediaType', asString, where),
    digest: required(object, 'digest', asDigest, where),
    size: required(object, 'size', asCount, where),
    ...(artifactType === undefined || artifactType === '' ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(platform === undefined ? {} : { platform }),
    ...(data === undefined ? {} : { data }),
    ...(urls === undefined ? {} : { urls }),
  };
}

/** Reads a digest out of a document. @throws ShapeError */
export function asDigest(value: unknown, where: string): Digest {
  const text = asString(value, where);
  if (!isDigest(text))
    throw new ShapeError(`${where} should be a sha256 or sha512 digest but is "${text.slice(0, 100)}"`);
  return text;
}
