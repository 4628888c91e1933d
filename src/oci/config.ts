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
import { asDigest } from './descriptor.ts';
import type { Digest } from './digest.ts';
import { readPlatform, type Platform } from './platform.ts';

/** image-spec 1.1.1, config.md: the parts boltseal uses. */
export interface ImageConfig {
  readonly platform: Platform;
  /** RFC 3339, as written. */
  readonly created?: string;
  /** Digests of the uncompressed layers, lowest first. */
  readonly diffIds: readonly Digest[];
  readonly history: readonly HistoryEntry[];
  readonly labels: Readonly<Record<string, string>>;
}

export interface HistoryEntry {
  readonly createdBy?: string;
  /** True for a step that made no layer. */
  readonly emptyLayer: boolean;
}

/** @throws BoltsealError JSON_INVALID, MANIFEST_INVALID, LIMIT_EXCEEDED */
export function parseImageConfig(bytes: Uint8Array, what: string): ImageConfig {
  const value = parseJson(bytes, { what, maxBytes: LIMITS.configBytes });
  try {
    return readConfig(asObject(value, 'the configuration'));
  } catch (cause) {
    if (!(cause instanceof ShapeError)) throw cause;
    throw new BoltsealError('MANIFEST_INVALID', `${what} is malformed: ${messageOf(cause)}`, {
      hint: 'The image configuration does not follow the OCI image specification. Rebuild the image with another tool.',
      cause,
    });
  }
}

function readConfig(object: JsonObject): ImageConfig {
  const rootfs = required(object, 'rootfs', asObject);
  const created = optional(object, 'created', asString);
  const run = optional(object, 'config', asObject) ?? {};
  return {
    platform: readPlatform(object, 'configuration'),
    ...(created === undefined ? {} : { created }),
    diffIds: required(rootfs, 'diff_ids', asArray, 'rootfs').map((entry, at) =>
      asDigest(entry, `rootfs.diff_ids[${at}]`),
    ),
    history: (optional(object, 'history', asArray) ?? []).map((entry, at) => readHistory(entry, `history[${at}]`)),
    labels: optional(run, 'Labels', asStringMap, 'config') ?? {},
  };
}

function readHistory(value: unknown, where: string): HistoryEntry {
  const object = asObject(value, where);
  const createdBy = optional(object, 'created_by', asString, where);
  return { ...(createdBy === undefined ? {} : { createdBy }), emptyLayer: object['empty_layer'] === true };
}
