import { LIMITS } from '../../../base/limits.ts';
import type { Cataloger, CatalogView } from '../../cataloger.ts';
import { dirName, textOf, wholeFile } from '../../file-sinks.ts';
import type { Package, Relation } from '../../package.ts';
import { buildPurl } from '../../purl.ts';
import { normalisePythonName, parsePythonMetadata, type PythonMetadata } from './metadata.ts';
import { mayHold, parseRequirement } from './requirement.ts';

/** `NAME.dist-info/METADATA`, `NAME.egg-info/PKG-INFO`, `EGG-INFO/PKG-INFO` of an unpacked egg, and the single file `NAME.egg-info`. */
const METADATA = /(?:^|\/)(?:[^/]+\.dist-info\/METADATA|(?:[^/]+\.egg-info|EGG-INFO)\/PKG-INFO|[^/]+\.egg-info)$/;

/** What pip and its kin installed, from the metadata that every installer leaves beside the code. */
export const pythonCataloger: Cataloger<PythonMetadata> = {
  name: 'python',
  version: 1,
  selects: ({ path }) => METADATA.test(path),
  open: (entry) =>
    wholeFile(entry, {
      maxBytes: LIMITS.packageManifestBytes,
      parse: (bytes) => parsePythonMetadata(textOf(bytes)),
    }),
  catalog: (view) => {
    const found = view.records.map(({ path, record }) => ({ path, record, package: toPackage(view, path, record) }));
    return {
      packages: found.map((each) => each.package),
      relations: relationsOf(found),
      unknowns: [],
      relationsComplete: true,
    };
  },
};

function toPackage(view: CatalogView<PythonMetadata>, path: string, metadata: PythonMetadata): Package {
  const { name, version } = metadata;
  const layer = view.broughtBy(path, (record) => record.name === name && record.version === version);
  return {
    type: 'pypi',
    kind: 'language',
    name,
    version,
    purl: buildPurl({ type: 'pypi', name: normalisePythonName(name), version }),
    licenses: metadata.licenses,
    ...(metadata.supplier === undefined ? {} : { supplier: metadata.supplier }),
    ...(metadata.summary === undefined ? {} : { description: metadata.summary }),
    ...(metadata.homepage === undefined ? {} : { homepage: metadata.homepage }),
    evidence: [{ path, layer }],
    technique: 'manifest-analysis',
    layer,
    cataloger: pythonCataloger.name,
  };
}

interface Found {
  readonly path: string;
  readonly record: PythonMetadata;
  readonly package: Package;
}

/** What a distribution requires is looked for beside it first, then in the other site directories of the same interpreter. */
function relationsOf(found: readonly Found[]): readonly Relation[] {
  const beside = new Map(found.map((each) => [`${siteOf(each.path)}\0${normalisePythonName(each.record.name)}`, each]));
  const byName = Map.groupBy(found, ({ record }) => normalisePythonName(record.name));
  return found.flatMap(({ path, record, package: { purl: from } }) => {
    const pythonVersion = pythonVersionOf(path);
    const environment = pythonVersion === undefined ? {} : { pythonVersion };
    return record.requires
      .map(parseRequirement)
      .filter((requirement) => requirement !== undefined && mayHold(requirement.marker, environment))
      .flatMap((requirement) => {
        const name = requirement?.name ?? '';
        const near = beside.get(`${siteOf(path)}\0${name}`);
        return near === undefined ? sameInterpreter(byName.get(name) ?? [], path) : [near];
      })
      .map(({ package: { purl: to } }) => ({ kind: 'dependsOn' as const, from, to }));
  });
}

/** The directory that holds NAME.dist-info: a site-packages, as a rule. */
function siteOf(path: string): string {
  return path.endsWith('.egg-info') ? dirName(path) : dirName(dirName(path));
}

/** `usr/lib/python3.11/site-packages/…` → 3.11; Debian's `usr/lib/python3/dist-packages` does not tell. */
function pythonVersionOf(path: string): string | undefined {
  return /(?:^|\/)(?:python|pypy)(\d+\.\d+)\//.exec(path)?.[1];
}

/** Candidates of another virtual environment, or of another Python version, do not serve. */
function sameInterpreter(candidates: readonly Found[], path: string): readonly Found[] {
  const prefixOf = (place: string): string =>
    place.replace(/(?:^|\/)(?:local\/)?lib(?:64)?\/(?:python|pypy)[^/]*\/.*$/, '');
  const [prefix, version] = [prefixOf(path), pythonVersionOf(path)];
  return candidates.filter((candidate) => {
    const other = pythonVersionOf(candidate.path);
    return prefixOf(candidate.path) === prefix && (version === undefined || other === undefined || other === version);
  });
}
