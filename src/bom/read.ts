import { BoltsealError, messageOf } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { asArray, asObject, asString, optional, required, ShapeError, type JsonObject } from '../base/shape.ts';
import type { BomComponent, BomDocument } from './document.ts';
import { PROPERTIES } from './properties.ts';

/** The versions of CycloneDX that have a JSON form and that boltseal knows. */
const SPEC_VERSIONS = new Set(['1.2', '1.3', '1.4', '1.5', '1.6', '1.7']);

/**
 * Reads a CycloneDX JSON document, 1.2 to 1.7. Strict about what it uses and about the JSON (no key twice in one object), so
 * that two readers cannot see two different documents; fields it has no use for may hold anything.
 *
 * @throws BoltsealError BOM_INVALID, JSON_INVALID, LIMIT_EXCEEDED
 */
export function readBom(bytes: Uint8Array | string): BomDocument {
  return readBomValue(parseJson(bytes, { what: 'the SBOM', maxBytes: LIMITS.bundleBytes }));
}

/** Like readBom, for a document that was already parsed by parseJson: the predicate of an attestation. @throws BoltsealError BOM_INVALID */
export function readBomValue(value: unknown): BomDocument {
  try {
    return readDocument(asObject(value, 'the SBOM'));
  } catch (cause) {
    if (!(cause instanceof ShapeError)) throw cause;
    throw new BoltsealError('BOM_INVALID', `the SBOM is malformed: ${messageOf(cause)}`, {
      hint: 'Only CycloneDX JSON, versions 1.2 to 1.7, is understood. Convert or regenerate the document.',
      cause,
    });
  }
}

function readDocument(object: JsonObject): BomDocument {
  if (object['bomFormat'] !== 'CycloneDX') throw new ShapeError('bomFormat should be "CycloneDX"');
  const specVersion = required(object, 'specVersion', asString);
  if (!SPEC_VERSIONS.has(specVersion)) throw new ShapeError(`specVersion is "${specVersion.slice(0, 20)}"`);
  const metadata = optional(object, 'metadata', asObject) ?? {};
  const subject = optional(metadata, 'component', readComponent, 'metadata');
  return {
    format: 'cyclonedx',
    specVersion,
    ...text(object, 'serialNumber', 'serialNumber'),
    ...text(metadata, 'timestamp', 'timestamp'),
    ...(subject === undefined ? {} : { subject }),
    components: readComponents(object),
    unknownCount: readProperties(metadata, 'metadata')[PROPERTIES.unknown]?.length ?? 0,
  };
}

/** All of them, however deep they are nested; the nesting is bounded by the JSON's own depth limit. */
function readComponents(holder: JsonObject): readonly BomComponent[] {
  const found: BomComponent[] = [];
  const walk = (object: JsonObject, where: string): void => {
    for (const [at, value] of (optional(object, 'components', asArray, where) ?? []).entries()) {
      const place = `${where === '' ? '' : `${where}.`}components[${at}]`;
      found.push(readComponent(value, place));
      walk(asObject(value, place), place);
    }
  };
  walk(holder, '');
  return found;
}

function readComponent(value: unknown, where: string): BomComponent {
  const object = asObject(value, where);
  return {
    type: required(object, 'type', asString, where),
    name: required(object, 'name', asString, where),
    ...text(object, 'group', 'group'),
    ...text(object, 'version', 'version'),
    ...text(object, 'purl', 'purl'),
    ...text(object, 'cpe', 'cpe'),
    ...text(object, 'bom-ref', 'bomRef'),
    licenses: (optional(object, 'licenses', asArray, where) ?? []).map((each, at) =>
      readLicense(each, `${where}.licenses[${at}]`),
    ),
    hashes: (optional(object, 'hashes', asArray, where) ?? []).map((each, at) =>
      readHash(each, `${where}.hashes[${at}]`),
    ),
    properties: readProperties(object, where),
  };
}

function readLicense(value: unknown, where: string): string {
  const object = asObject(value, where);
  const expression = optional(object, 'expression', asString, where);
  if (expression !== undefined) return expression;
  const license = required(object, 'license', asObject, where);
  const named = optional(license, 'id', asString, where) ?? optional(license, 'name', asString, where);
  if (named === undefined) throw new ShapeError(`${where} has neither an id nor a name nor an expression`);
  return named;
}

function readHash(value: unknown, where: string): { readonly algorithm: string; readonly hex: string } {
  const object = asObject(value, where);
  return { algorithm: required(object, 'alg', asString, where), hex: required(object, 'content', asString, where) };
}

function readProperties(object: JsonObject, where: string): Readonly<Record<string, readonly string[]>> {
  const pairs = (optional(object, 'properties', asArray, where) ?? []).map((each, at) => {
    const property = asObject(each, `${where}.properties[${at}]`);
    return { name: optional(property, 'name', asString) ?? '', value: optional(property, 'value', asString) ?? '' };
  });
  const grouped = Map.groupBy(pairs, ({ name }) => name);
  return Object.fromEntries([...grouped].map(([name, same]) => [name, same.map(({ value }) => value)]));
}

function text<Name extends string>(object: JsonObject, key: string, name: Name): { readonly [N in Name]?: string } {
  const value = optional(object, key, asString);
  return (value === undefined ? {} : { [name]: value }) as { readonly [N in Name]?: string };
}
