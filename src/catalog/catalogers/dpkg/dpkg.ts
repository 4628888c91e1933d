import { LIMITS } from '../../../base/limits.ts';
import type { Cataloger, CatalogView } from '../../cataloger.ts';
import { distroQualifier } from '../../distro.ts';
import { baseName, textOf, wholeFile } from '../../file-sinks.ts';
import type { Package, Unknown } from '../../package.ts';
import { buildPurl } from '../../purl.ts';
import { realPaths } from '../../real-path.ts';
import { parseDebianCopyright, type DebianCopyright } from './copyright.ts';
import { debRelations, type FoundDeb } from './relations.ts';
import { parseDpkgStatus, type DpkgPackage, type DpkgStatus } from './status.ts';

/** The files one package installed, from `info/NAME.list`. */
interface FileList {
  readonly kind: 'list';
  readonly files: readonly string[];
}

type DpkgRecord = DpkgStatus | DebianCopyright | FileList;

const DATABASE = 'var/lib/dpkg/status';
const SINGLE = /^var\/lib\/dpkg\/status\.d\/(?!.*\.md5sums$)[^/]+$/;
const LIST = /^var\/lib\/dpkg\/info\/([^/]+)\.list$/;
const COPYRIGHT = /^usr\/share\/doc\/[^/]+\/copyright$/;

interface FileKind {
  readonly role: DpkgRecord['kind'];
  readonly name: RegExp;
  readonly maxBytes: number;
  readonly parse: (text: string) => DpkgRecord;
}

const KINDS: readonly FileKind[] = [
  { role: 'status', name: /^var\/lib\/dpkg\/status$/, maxBytes: LIMITS.catalogFileBytes, parse: parseDpkgStatus },
  { role: 'status', name: SINGLE, maxBytes: LIMITS.packageManifestBytes, parse: parseDpkgStatus },
  { role: 'list', name: LIST, maxBytes: LIMITS.packageManifestBytes, parse: parseList },
  { role: 'copyright', name: COPYRIGHT, maxBytes: LIMITS.packageManifestBytes, parse: parseDebianCopyright },
];

/** Debian and its kin: dpkg's database, or the one file per package that distroless images have in its place. */
export const dpkgCataloger: Cataloger<DpkgRecord> = {
  name: 'dpkg',
  version: 1,
  paths: [DATABASE],
  selects: ({ path }) => kindOf(path) !== undefined,
  open: (entry) => {
    const kind = kindOf(entry.path);
    if (kind === undefined) throw new Error(`opened a file that was not selected: ${entry.path}`);
    return wholeFile(entry, { maxBytes: kind.maxBytes, parse: (bytes) => kind.parse(textOf(bytes)) });
  },
  roleOf: (path) => kindOf(path)?.role ?? '',
  catalog: (view) => {
    const databases = view.records.flatMap(({ path, record }) => (record.kind === 'status' ? [{ path, record }] : []));
    const found = databases.flatMap(({ path, record }) =>
      record.packages.map((deb) => ({ deb, package: toPackage(view, path, deb) })),
    );
    return {
      packages: found.map((each) => each.package),
      relations: debRelations(found),
      unknowns: databases.flatMap(({ path, record }) => record.problems.map((reason) => problem(path, reason))),
      relationsComplete: true,
      owners: ownersOf(view, found),
    };
  },
};

function kindOf(path: string): FileKind | undefined {
  if (!path.startsWith('var/lib/dpkg/') && !path.startsWith('usr/share/doc/')) return undefined;
  return KINDS.find(({ name }) => name.test(path));
}

function parseList(text: string): FileList {
  return {
    kind: 'list',
    files: text.split('\n').filter((line) => line !== '' && !/^\/usr\/share\/(?:doc|man|locale)\//.test(line)),
  };
}

function problem(path: string, reason: string): Unknown {
  return { path, cataloger: dpkgCataloger.name, reason };
}

function toPackage(view: CatalogView<DpkgRecord>, path: string, deb: DpkgPackage): Package {
  const namespace = view.distro?.id ?? 'debian';
  const layer = view.broughtBy(
    path,
    (record) => record.kind === 'status' && record.packages.some((other) => isSame(other, deb)),
  );
  const copyright = view.at(`usr/share/doc/${deb.name}/copyright`)?.record;
  const source = { name: deb.sourceName ?? deb.name, version: deb.sourceVersion ?? deb.version };
  return {
    type: 'deb',
    kind: 'os',
    name: deb.name,
    namespace,
    version: deb.version,
    purl: buildPurl({
      type: 'deb',
      namespace,
      name: deb.name.toLowerCase(),
      version: deb.version,
      qualifiers: {
        arch: deb.architecture,
        distro: view.distro && distroQualifier(view.distro),
        upstream: upstreamOf(deb),
      },
    }),
    ...(deb.architecture === '' ? {} : { architecture: deb.architecture }),
    source,
    licenses: copyright?.kind === 'copyright' ? copyright.licenses : [],
    ...(deb.maintainer === undefined ? {} : { supplier: deb.maintainer }),
    ...(deb.summary === undefined ? {} : { description: deb.summary }),
    ...(deb.homepage === undefined ? {} : { homepage: deb.homepage }),
    evidence: [{ path, layer }],
    technique: 'manifest-analysis',
    layer,
    cataloger: dpkgCataloger.name,
  };
}

/** The source package, where it is not simply the package itself: `glibc`, or with its version where that differs. */
function upstreamOf({ name, sourceName = name, sourceVersion }: DpkgPackage): string | undefined {
  if (sourceVersion !== undefined) return `${sourceName}@${sourceVersion}`;
  return sourceName === name ? undefined : sourceName;
}

function isSame(left: DpkgPackage, right: DpkgPackage): boolean {
  return left.name === right.name && left.version === right.version && left.architecture === right.architecture;
}

function ownersOf(view: CatalogView<DpkgRecord>, found: readonly FoundDeb[]): ReadonlyMap<string, string> {
  const purls = new Map(
    found.flatMap(({ deb, package: { purl } }) => [
      [deb.name, purl] as const,
      [`${deb.name}:${deb.architecture}`, purl] as const,
    ]),
  );
  const real = realPaths(view.tree);
  return new Map(
    view.records.flatMap(({ path, record }) => {
      const purl = record.kind === 'list' ? purls.get(baseName(path).replace(/\.list$/, '')) : undefined;
      return record.kind !== 'list' || purl === undefined
        ? []
        : record.files.map((file) => [real(file), purl] as const);
    }),
  );
}
