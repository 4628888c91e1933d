import { Buffer } from 'node:buffer';
import { BoltsealError, messageOf } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { asArray, asObject, asString, required, ShapeError, type JsonObject } from '../base/shape.ts';
import { readDescriptor, type Descriptor } from '../oci/descriptor.ts';
import { algorithmOf, encodedOf, type Digest } from '../oci/digest.ts';
import { readError } from './file-error.ts';
import type { LayoutFiles } from './layout-files.ts';

/** An `index.json`: what it means, and the objects as they are written, so that writing it again loses nothing. */
export interface LayoutIndex {
  readonly raw: JsonObject;
  readonly entries: readonly LayoutEntry[];
}

export interface LayoutEntry {
  readonly raw: unknown;
  readonly descriptor: Descriptor;
  /** `org.opencontainers.image.ref.name`: image-spec 1.1.1, annotations.md and image-layout.md#indexjson-file. */
  readonly tag?: string;
}

export const TAG_ANNOTATION = 'org.opencontainers.image.ref.name';

/**
 * Reads and checks `oci-layout` and `index.json`: image-spec 1.1.1, image-layout.md.
 *
 * @throws BoltsealError LAYOUT_INVALID, LIMIT_EXCEEDED, FILE_UNREADABLE
 */
export async function readLayoutIndex(files: LayoutFiles): Promise<LayoutIndex> {
  const marker = await readSmallFile(files, 'oci-layout');
  const index = await readSmallFile(files, 'index.json');
  if (marker === undefined) throw invalidLayout(files, 'it has no file oci-layout');
  if (index === undefined) throw invalidLayout(files, 'it has no file index.json');
  try {
    const layout = asObject(parseFile(files, 'oci-layout', marker), 'oci-layout');
    const version = required(layout, 'imageLayoutVersion', asString);
    if (!version.startsWith('1.')) throw new ShapeError(`its version is "${version.slice(0, 40)}" and not 1.0.0`);
    return readIndex(asObject(parseFile(files, 'index.json', index), 'index.json'));
  } catch (cause) {
    if (!(cause instanceof ShapeError)) throw cause;
    throw invalidLayout(files, messageOf(cause), cause);
  }
}

/** A small file of a layout, whole, not verified; undefined when it is not there. @throws BoltsealError LIMIT_EXCEEDED … */
export async function readSmallFile(files: LayoutFiles, path: string): Promise<Uint8Array | undefined> {
  const file = await files.find(path);
  if (file === undefined) return undefined;
  if (file.size > LIMITS.manifestBytes) {
    throw new BoltsealError('LIMIT_EXCEEDED', `${path} in ${files.name} is ${file.size} bytes`, {
      hint: `More than ${LIMITS.manifestBytes} bytes are refused here. Check where the layout came from.`,
    });
  }
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of file.open()) chunks.push(chunk as Uint8Array);
    return Buffer.concat(chunks);
  } catch (cause) {
    throw readError(cause, `${files.name}/${path}`);
  }
}

export function blobPath(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${encodedOf(digest)}`;
}

export function invalidLayout(files: LayoutFiles, why: string, cause?: unknown): BoltsealError {
  return new BoltsealError('LAYOUT_INVALID', `${files.name} is not a usable OCI image layout: ${why}`, {
    hint: 'Make the layout again, for example with skopeo copy … oci:DIR:TAG or oras copy --to-oci-layout.',
    cause,
  });
}

function parseFile(files: LayoutFiles, path: string, bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes, { what: path, maxBytes: LIMITS.manifestBytes });
  } catch (cause) {
    throw invalidLayout(files, messageOf(cause), cause);
  }
}

function readIndex(raw: JsonObject): LayoutIndex {
  if (raw['schemaVersion'] !== 2) throw new ShapeError('schemaVersion of index.json should be 2');
  const entries = required(raw, 'manifests', asArray).map((entry, at): LayoutEntry => {
    const descriptor = readDescriptor(entry, `manifests[${at}]`);
    const tag = descriptor.annotations?.[TAG_ANNOTATION];
    return { raw: entry, descriptor, ...(tag === undefined || tag === '' ? {} : { tag }) };
  });
  return { raw, entries };
}
