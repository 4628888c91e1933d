import { BoltsealError, messageOf } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import {
  asArray,
  asCount,
  asObject,
  asString,
  optional,
  required,
  ShapeError,
  type JsonObject,
} from '../base/shape.ts';

/** Where to sign: SigningConfig v0.2 of protobuf-specs 0.5 (sigstore_trustroot.proto). */
export interface SigningConfig {
  readonly fulcio: readonly SigningService[];
  readonly issuers: readonly SigningService[];
  readonly rekor: readonly SigningService[];
  readonly rekorSelection: ServiceSelection;
  readonly timestampAuthorities: readonly SigningService[];
  readonly timestampSelection: ServiceSelection;
}

export interface SigningService {
  readonly url: string;
  readonly majorApiVersion: number;
  readonly validFor: { readonly start: Date; readonly end?: Date };
  readonly operator: string;
}

/** How many operators' services to use. */
export type ServiceSelection =
  { readonly kind: 'any' } | { readonly kind: 'all' } | { readonly kind: 'exact'; readonly count: number };

const SIGNING_CONFIG_TYPE = 'application/vnd.dev.sigstore.signingconfig.v0.2+json';
const CLIENT_TRUST_TYPE = 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json';

/**
 * Parses a signing configuration, alone or inside a client trust configuration. An unknown field is refused: it could
 * ask for something that would then silently not be done.
 *
 * @throws BoltsealError SIGNING_CONFIG_INVALID, JSON_INVALID, LIMIT_EXCEEDED
 */
export function parseSigningConfig(bytes: Uint8Array, what: string): SigningConfig {
  const value = parseJson(bytes, { what, maxBytes: LIMITS.trustRootBytes });
  try {
    const object = asObject(value, what);
    const mediaType = required(object, 'mediaType', asString);
    if (mediaType === CLIENT_TRUST_TYPE) return readConfig(required(object, 'signingConfig', asObject));
    return readConfig(object);
  } catch (cause) {
    if (!(cause instanceof ShapeError)) throw cause;
    throw new BoltsealError('SIGNING_CONFIG_INVALID', `${what} is malformed: ${messageOf(cause)}`, {
      hint: 'Get the file from whoever runs the Sigstore instance, or make it with cosign signing-config create.',
      cause,
    });
  }
}

const FIELDS = ['mediaType', 'caUrls', 'oidcUrls', 'rekorTlogUrls', 'rekorTlogConfig', 'tsaUrls', 'tsaConfig'];

function readConfig(object: JsonObject): SigningConfig {
  const mediaType = required(object, 'mediaType', asString);
  if (mediaType !== SIGNING_CONFIG_TYPE) throw new ShapeError(`mediaType should be ${SIGNING_CONFIG_TYPE}`);
  refuseOthers(object, FIELDS, 'the configuration');
  const services = (key: string): readonly SigningService[] =>
    (optional(object, key, asArray) ?? []).map((entry, at) => readService(entry, `${key}[${at}]`));
  return {
    fulcio: services('caUrls'),
    issuers: services('oidcUrls'),
    rekor: services('rekorTlogUrls'),
    rekorSelection: optional(object, 'rekorTlogConfig', readSelection) ?? { kind: 'any' },
    timestampAuthorities: services('tsaUrls'),
    timestampSelection: optional(object, 'tsaConfig', readSelection) ?? { kind: 'any' },
  };
}

function readService(value: unknown, where: string): SigningService {
  const object = asObject(value, where);
  refuseOthers(object, ['url', 'majorApiVersion', 'validFor', 'operator'], where);
  const range = required(object, 'validFor', asObject, where);
  refuseOthers(range, ['start', 'end'], `${where}.validFor`);
  const end = optional(range, 'end', asTime, `${where}.validFor`);
  return {
    url: required(object, 'url', asUrl, where),
    majorApiVersion: required(object, 'majorApiVersion', asCount, where),
    validFor: { start: required(range, 'start', asTime, `${where}.validFor`), ...(end === undefined ? {} : { end }) },
    operator: optional(object, 'operator', asString, where) ?? '',
  };
}

function readSelection(value: unknown, where: string): ServiceSelection {
  const object = asObject(value, where);
  refuseOthers(object, ['selector', 'count'], where);
  const selector = required(object, 'selector', asString, where);
  const count = optional(object, 'count', asCount, where) ?? 0;
  if (selector === 'ANY') return { kind: 'any' };
  if (selector === 'ALL') return { kind: 'all' };
  if (selector !== 'EXACT') throw new ShapeError(`${where}.selector should be ANY, ALL or EXACT but is "${selector}"`);
  if (count === 0) throw new ShapeError(`${where}.count should be at least 1 for EXACT`);
  return { kind: 'exact', count };
}

function asUrl(value: unknown, where: string): string {
  const text = asString(value, where);
  const url = URL.parse(text);
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw new ShapeError(`${where} should be an http(s) URL`);
  return text;
}

/** RFC 3339, as protobuf's JSON mapping writes a Timestamp. */
function asTime(value: unknown, where: string): Date {
  const text = asString(value, where);
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) ? new Date(text) : undefined;
  if (time === undefined || Number.isNaN(time.getTime())) throw new ShapeError(`${where} should be an RFC 3339 time`);
  return time;
}

function refuseOthers(object: JsonObject, known: readonly string[], where: string): void {
  const other = Object.keys(object).find((key) => !known.includes(key));
  if (other !== undefined) throw new ShapeError(`${where} has the unknown field "${other}"`);
}

/** Who attests to a signature, chosen. */
export interface WitnessServices {
  readonly rekor: readonly SigningService[];
  readonly timestampAuthorities: readonly SigningService[];
}

/** A place to sign at, chosen. */
export interface SigningServices extends WitnessServices {
  readonly fulcio: SigningService;
}
