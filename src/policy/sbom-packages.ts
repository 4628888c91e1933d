import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { asArray, asObject, asString, optional, ShapeError, type JsonObject } from '../base/shape.ts';
import type { Statement } from '../intoto/statement.ts';
import { readPurl, type PackageName } from './purl.ts';

/** A package that an SBOM names, with the purl as it is written there. */
export interface ListedPackage extends PackageName {
  readonly purl: string;
}

export type SbomPackages =
  { readonly ok: true; readonly packages: readonly ListedPackage[] } | { readonly ok: false; readonly problem: string };

/**
 * Every package an SBOM predicate names by purl: CycloneDX components at any depth, SPDX 2 packages, SPDX 3 elements.
 * Reads more places than a document needs, and never stops at the first: what is listed twice, or hidden inside another
 * component, is in the image all the same.
 */
export function packagesOf({ predicate }: Statement): SbomPackages {
  let document: unknown;
  try {
    document = unwrap(predicate);
  } catch {
    return { ok: false, problem: 'the predicate is text, and not JSON' };
  }
  if (!isObject(document)) return { ok: false, problem: 'there is no predicate' };
  const read = FORMATS.find(({ recognises }) => recognises(document));
  if (read === undefined) return { ok: false, problem: 'the predicate is neither CycloneDX nor SPDX in JSON' };
  let found: readonly Found[];
  try {
    found = read.purls(document);
  } catch (error) {
    // What has another shape than its format says could hide a package from this reader and show it to another.
    if (error instanceof ShapeError) return { ok: false, problem: error.message };
    throw error;
  }
  const packages = found.flatMap(({ purl, version }) => {
    const name = readPurl(purl);
    if (name === undefined) return [];
    const known = name.version ?? version;
    return [{ ...name, purl, ...(known === undefined ? {} : { version: known }) }];
  });
  return { ok: true, packages };
}

interface Found {
  readonly purl: string;
  readonly version?: string;
}

interface Format {
  readonly recognises: (document: JsonObject) => boolean;
  readonly purls: (document: JsonObject) => readonly Found[];
}

const FORMATS: readonly Format[] = [
  { recognises: (document) => document['bomFormat'] === 'CycloneDX', purls: cyclonedxPurls },
  {
    recognises: ({ spdxVersion }) => typeof spdxVersion === 'string' && spdxVersion.startsWith('SPDX-2'),
    purls: spdx2Purls,
  },
  { recognises: (document) => Array.isArray(document['@graph']) && isSpdx3(document['@context']), purls: spdx3Purls },
];

/** cosign wraps a predicate that it got as text: `{"Data": …, "Timestamp": …}`, or a JSON string. */
function unwrap(predicate: unknown): unknown {
  const data = isObject(predicate) && Object.hasOwn(predicate, 'Data') ? predicate['Data'] : predicate;
  return typeof data === 'string' ? parseJson(data, { what: 'the SBOM', maxBytes: LIMITS.bundleBytes }) : data;
}

function cyclonedxPurls(document: JsonObject): readonly Found[] {
  const found: Found[] = [];
  const root = optional(optional(document, 'metadata', asObject) ?? {}, 'component', asObject, 'metadata');
  const queue: JsonObject[] = [...componentsOf(document), ...(root === undefined ? [] : [root])];
  // A queue and not recursion: a document may nest as deep as its size lets it.
  for (let component = queue.pop(); component !== undefined; component = queue.pop()) {
    queue.push(...componentsOf(component));
    const version = textOf(component['version']);
    for (const purl of [optional(component, 'purl', asPurl, 'component'), component['bom-ref']])
      if (typeof purl === 'string') found.push({ purl, ...(version === undefined ? {} : { version }) });
  }
  return found;
}

function componentsOf(holder: JsonObject): readonly JsonObject[] {
  return (optional(holder, 'components', asArray) ?? []).map((component) => asObject(component, 'a component'));
}

/** @throws ShapeError for what stands where a purl has to, and is none */
function asPurl(value: unknown, where: string): string {
  const text = asString(value, where);
  if (readPurl(text) === undefined) throw new ShapeError(`${where} should be a purl but is "${text.slice(0, 100)}"`);
  return text;
}

function spdx2Purls(document: JsonObject): readonly Found[] {
  return (optional(document, 'packages', asArray) ?? [])
    .map((item) => asObject(item, 'a package'))
    .flatMap((item) => {
      const version = textOf(item['versionInfo']);
      const locators = (optional(item, 'externalRefs', asArray) ?? [])
        .map((reference) => asObject(reference, 'an external reference'))
        .map(({ referenceType, referenceLocator }) =>
          referenceType === 'purl' ? asPurl(referenceLocator, 'referenceLocator') : referenceLocator,
        );
      return locators
        .filter((locator) => typeof locator === 'string')
        .map((purl) => ({ purl, ...(version === undefined ? {} : { version }) }));
    });
}

function spdx3Purls(document: JsonObject): readonly Found[] {
  return listOf(document['@graph'])
    .filter(isObject)
    .flatMap((element) => {
      const version = textOf(element['software_packageVersion']);
      const identifiers = listOf(element['externalIdentifier']).filter(isObject);
      const purls = [element['software_packageUrl'], ...identifiers.map(({ identifier }) => identifier)];
      return purls
        .filter((purl) => typeof purl === 'string')
        .map((purl) => ({ purl, ...(version === undefined ? {} : { version }) }));
    });
}

function isSpdx3(context: unknown): boolean {
  return JSON.stringify(context ?? '').includes('spdx.org/rdf/3');
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
