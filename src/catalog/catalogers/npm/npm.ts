import { LIMITS } from '../../../base/limits.ts';
import type { Cataloger, CatalogView } from '../../cataloger.ts';
import { dirName, wholeFile } from '../../file-sinks.ts';
import type { Package, Relation } from '../../package.ts';
import { buildPurl } from '../../purl.ts';
import { parseHiddenLockfile, type Download, type HiddenLockfile } from './hidden-lockfile.ts';
import { parsePackageJson, type PackageJson } from './package-json.ts';

type NpmRecord = PackageJson | HiddenLockfile;

/** The package.json at a package's root: directly below `node_modules/NAME` or `node_modules/@SCOPE/NAME`. */
const ROOT = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@.][^/]*\/package\.json$/;
const LOCKFILE = /(?:^|\/)node_modules\/\.package-lock\.json$/;

/** What npm, pnpm and yarn put into node_modules. The graph is found as Node finds modules. */
export const npmCataloger: Cataloger<NpmRecord> = {
  name: 'npm',
  version: 1,
  selects: ({ path }) => path.endsWith('.json') && (ROOT.test(path) || LOCKFILE.test(path)),
  open: (entry) =>
    LOCKFILE.test(entry.path)
      ? wholeFile(entry, { maxBytes: LIMITS.catalogFileBytes, parse: parseHiddenLockfile })
      : wholeFile(entry, { maxBytes: LIMITS.packageManifestBytes, parse: parsePackageJson }),
  roleOf: (path) => (LOCKFILE.test(path) ? 'lockfile' : 'package'),
  catalog: (view) => {
    const downloads = downloadsOf(view);
    const found = view.records.flatMap(({ path, record }) =>
      record.kind === 'package'
        ? [{ path, json: record, package: toPackage(view, { path, json: record, download: downloads.get(path) }) }]
        : [],
    );
    return {
      packages: found.map((each) => each.package),
      relations: relationsOf(view, found),
      unknowns: [],
      relationsComplete: true,
    };
  },
};

/** By the path of the package.json. */
function downloadsOf(view: CatalogView<NpmRecord>): ReadonlyMap<string, Download> {
  return new Map(
    view.records.flatMap(({ path, record }) => {
      if (record.kind !== 'lockfile') return [];
      const project = dirName(dirName(path));
      return Object.entries(record.downloads).map(
        ([location, download]) => [`${project === '' ? '' : `${project}/`}${location}/package.json`, download] as const,
      );
    }),
  );
}

interface Installed {
  readonly path: string;
  readonly json: PackageJson;
  readonly download: Download | undefined;
}

function toPackage(view: CatalogView<NpmRecord>, { path, json, download }: Installed): Package {
  const [, scope, name = json.name] = /^(@[^/]+)\/(.+)$/.exec(json.name) ?? [];
  const layer = view.broughtBy(
    path,
    (record) => record.kind === 'package' && record.name === json.name && record.version === json.version,
  );
  return {
    type: 'npm',
    kind: 'language',
    name,
    ...(scope === undefined ? {} : { namespace: scope }),
    version: json.version,
    purl: buildPurl({ type: 'npm', namespace: scope, name, version: json.version }),
    licenses: json.licenses,
    ...(json.author === undefined ? {} : { supplier: json.author }),
    ...(json.description === undefined ? {} : { description: json.description }),
    ...(json.homepage === undefined ? {} : { homepage: json.homepage }),
    ...(download === undefined ? {} : { distribution: download }),
    evidence: [{ path, layer }],
    technique: 'manifest-analysis',
    layer,
    cataloger: npmCataloger.name,
  };
}

interface Found {
  readonly path: string;
  readonly json: PackageJson;
  readonly package: Package;
}

function relationsOf(view: CatalogView<NpmRecord>, found: readonly Found[]): readonly Relation[] {
  const byPath = new Map(found.map((each) => [each.path, each.package.purl]));
  return found.flatMap(({ path, json, package: { purl: from } }) =>
    json.needs.flatMap((need) => {
      const to = resolveModule(need, dirName(path), (candidate) => {
        const real = byPath.has(candidate) ? candidate : view.at(candidate)?.path;
        return real === undefined ? undefined : byPath.get(real);
      });
      return to === undefined ? [] : [{ kind: 'dependsOn' as const, from, to }];
    }),
  );
}

/** Node's search for a bare name, LOAD_NODE_MODULES in its documentation: node_modules here, then in every directory above. */
function resolveModule(
  name: string,
  from: string,
  packageAt: (path: string) => string | undefined,
): string | undefined {
  for (let folder = from; ; folder = dirName(folder)) {
    if (!folder.endsWith('/node_modules') && folder !== 'node_modules') {
      const found = packageAt(`${folder === '' ? '' : `${folder}/`}node_modules/${name}/package.json`);
      if (found !== undefined) return found;
    }
    if (folder === '') return undefined;
  }
}
