import { asArray, asObject, asString, optional, required, ShapeError, type JsonObject } from '../base/shape.ts';

const TRUSTED_ROOT_TYPES: readonly string[] = [
  'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  'application/vnd.dev.sigstore.trustedroot.v0.1+json',
  'application/vnd.dev.sigstore.trustedroot.v0.2+json',
];
const CLIENT_TRUST_CONFIG_TYPE = 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json';

/** sigstore protobuf-specs 0.5, sigstore_trustroot.proto: the JSON names of the fields. */
const ROOT_FIELDS = ['mediaType', 'tlogs', 'ctlogs', 'certificateAuthorities', 'timestampAuthorities'];
const LOG_FIELDS = ['baseUrl', 'hashAlgorithm', 'publicKey', 'logId', 'checkpointKeyId', 'operator'];
const AUTHORITY_FIELDS = ['subject', 'uri', 'certChain', 'validFor', 'operator'];
const KEY_FIELDS = ['rawBytes', 'keyDetails', 'validFor'];
const RANGE_FIELDS = ['start', 'end'];

/** The trusted root itself, taken out of a ClientTrustConfig when it is in one. */
export function unwrapTrustRoot(value: unknown): JsonObject {
  const object = asObject(value, 'the document');
  const mediaType = required(object, 'mediaType', asString);
  return mediaType === CLIENT_TRUST_CONFIG_TYPE ? required(object, 'trustedRoot', asObject) : object;
}

/** @throws ShapeError for what the library would read as "trusted since 1970", or would not read at all */
export function checkTrustRoot(root: JsonObject): void {
  const mediaType = required(root, 'mediaType', asString);
  if (!TRUSTED_ROOT_TYPES.includes(mediaType)) throw new ShapeError(`its media type "${mediaType}" is not known`);
  checkFields(root, ROOT_FIELDS, 'the trusted root');
  for (const list of ['tlogs', 'ctlogs']) each(root, list, checkLog);
  for (const list of ['certificateAuthorities', 'timestampAuthorities']) each(root, list, checkAuthority);
}

function checkLog(log: JsonObject, where: string): void {
  checkFields(log, LOG_FIELDS, where);
  required(log, 'baseUrl', asString, where);
  const key = required(log, 'publicKey', asObject, where);
  checkFields(key, KEY_FIELDS, `${where}.publicKey`);
  required(key, 'rawBytes', asString, `${where}.publicKey`);
  required(required(log, 'logId', asObject, where), 'keyId', asString, `${where}.logId`);
  checkRange(required(key, 'validFor', asObject, `${where}.publicKey`), `${where}.publicKey.validFor`);
}

function checkAuthority(authority: JsonObject, where: string): void {
  checkFields(authority, AUTHORITY_FIELDS, where);
  const chain = required(required(authority, 'certChain', asObject, where), 'certificates', asArray, where);
  if (chain.length === 0) throw new ShapeError(`${where}.certChain names no certificate`);
  checkRange(required(authority, 'validFor', asObject, where), `${where}.validFor`);
}

function checkRange(range: JsonObject, where: string): void {
  checkFields(range, RANGE_FIELDS, where);
  const start = required(range, 'start', asTime, where);
  const end = optional(range, 'end', asTime, where);
  if (end !== undefined && end < start) throw new ShapeError(`${where} ends before it starts`);
}

function asTime(value: unknown, where: string): number {
  const text = asString(value, where);
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(text);
  const time = isTime ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new ShapeError(`${where} is "${text}", which is not a time`);
  return time;
}

function checkFields(object: JsonObject, known: readonly string[], where: string): void {
  const unknown = Object.keys(object).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new ShapeError(`${where} has a field "${unknown}" that is not known`);
}

function each(root: JsonObject, list: string, check: (item: JsonObject, where: string) => void): void {
  const items = optional(root, list, asArray) ?? [];
  for (const [at, item] of items.entries()) check(asObject(item, `${list}[${at}]`), `${list}[${at}]`);
}
