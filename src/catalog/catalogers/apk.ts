import { LIMITS } from '../../base/limits.ts';
import type { Cataloger, CatalogView } from '../cataloger.ts';
import { distroQualifier } from '../distro.ts';
import { textOf, wholeFile } from '../file-sinks.ts';
import type { Findings, Package, Relation } from '../package.ts';
import { buildPurl } from '../purl.ts';
import { realPaths } from '../real-path.ts';

/** One installed package of an apk database, by the database's own field letters. */
interface ApkPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture?: string;
  readonly license?: string;
  readonly origin?: string;
  readonly maintainer?: string;
  readonly description?: string;
  readonly homepage?: string;
  readonly checksum?: string;
  readonly needs: readonly string[];
  readonly provides: readonly string[];
  readonly files: readonly string[];
}

interface ApkDatabase {
  readonly packages: readonly ApkPackage[];
  /** Numbers of the stanzas that name no package or version, from 1. */
  readonly nameless: readonly number[];
}

const DATABASES = ['lib/apk/db/installed', 'usr/lib/apk/db/installed'];

/** Alpine and its kin: the database of installed packages, apk-tools' `installed` file in the v2 text format. */
export const apkCataloger: Cataloger<ApkDatabase> = {
  name: 'apk',
  version: 1,
  paths: DATABASES,
  selects: ({ path }) => DATABASES.includes(path),
  open: (entry) =>
    wholeFile(entry, { maxBytes: LIMITS.catalogFileBytes, parse: (bytes) => parseApkDatabase(textOf(bytes)) }),
  catalog: (view) => {
    const found = view.records.map(({ path, record }) => catalogDatabase(view, path, record));
    return {
      packages: found.flatMap(({ packages }) => packages),
      relations: found.flatMap(({ relations }) => relations),
      unknowns: found.flatMap(({ unknowns }) => unknowns),
      relationsComplete: true,
      owners: new Map(found.flatMap(({ owners }) => [...(owners ?? [])])),
    };
  },
};

export function parseApkDatabase(text: string): ApkDatabase {
  const stanzas = text
    .split(/\n{2,}/)
    .map(parseStanza)
    .filter((stanza) => stanza !== 'empty');
  return {
    packages: stanzas.filter((stanza) => stanza !== undefined),
    nameless: stanzas.flatMap((stanza, at) => (stanza === undefined ? [at + 1] : [])),
  };
}

/** Undefined when the package or its version has no name. */
function parseStanza(stanza: string): ApkPackage | undefined | 'empty' {
  const fields = new Map<string, string>();
  const files: string[] = [];
  let folder = '';
  for (const line of stanza.split('\n')) {
    const [letter, value] = [line.slice(0, 1), line.slice(2).trim()];
    if (line[1] !== ':') continue;
    if (letter === 'F') folder = value === '' ? '' : `${value}/`;
    else if (letter === 'R') files.push(folder + value);
    else if (!fields.has(letter)) fields.set(letter, value);
  }
  if (fields.size === 0) return 'empty';
  const [name, version] = [fields.get('P') ?? '', fields.get('V') ?? ''];
  if (name === '' || version === '') return undefined;
  const words = (letter: string): readonly string[] =>
    (fields.get(letter) ?? '').split(/\s+/).filter((word) => word !== '');
  return { name, version, ...described(fields), needs: words('D'), provides: words('p'), files };
}

const DESCRIBED = {
  architecture: 'A',
  license: 'L',
  origin: 'o',
  maintainer: 'm',
  description: 'T',
  homepage: 'U',
  checksum: 'C',
} as const;

function described(fields: ReadonlyMap<string, string>): { readonly [Field in keyof typeof DESCRIBED]?: string } {
  return Object.fromEntries(
    Object.entries(DESCRIBED).flatMap(([field, letter]) => {
      const value = fields.get(letter);
      return value === undefined || value === '' ? [] : [[field, value]];
    }),
  );
}

function catalogDatabase(view: CatalogView<ApkDatabase>, path: string, { packages, nameless }: ApkDatabase): Findings {
  const found = packages.map((apk) => ({ apk, package: toPackage(view, path, apk) }));
  const real = realPaths(view.tree);
  return {
    packages: found.map((each) => each.package),
    relations: relationsOf(found),
    unknowns: nameless.map((at) => ({
      path,
      cataloger: apkCataloger.name,
      reason: `entry ${at} of the package database names no package or no version`,
    })),
    relationsComplete: true,
    owners: new Map(
      found.flatMap(({ apk, package: { purl } }) => apk.files.map((file) => [real(file), purl] as const)),
    ),
  };
}

function toPackage(view: CatalogView<ApkDatabase>, path: string, apk: ApkPackage): Package {
  const namespace = view.distro?.id ?? 'alpine';
  const origin = apk.origin === apk.name ? undefined : apk.origin;
  const layer = view.broughtBy(path, ({ packages }) =>
    packages.some(({ name, version }) => name === apk.name && version === apk.version),
  );
  return {
    type: 'apk',
    kind: 'os',
    name: apk.name,
    namespace,
    version: apk.version,
    purl: buildPurl({
      type: 'apk',
      namespace,
      name: apk.name.toLowerCase(),
      version: apk.version,
      qualifiers: {
        arch: apk.architecture,
        distro: view.distro && distroQualifier(view.distro),
        upstream: origin,
      },
    }),
    ...(apk.architecture === undefined ? {} : { architecture: apk.architecture }),
    ...(apk.origin === undefined ? {} : { source: { name: apk.origin, version: apk.version } }),
    licenses: apk.license === undefined ? [] : [apk.license],
    ...(apk.maintainer === undefined ? {} : { supplier: apk.maintainer }),
    ...(apk.description === undefined ? {} : { description: apk.description }),
    ...(apk.homepage === undefined ? {} : { homepage: apk.homepage }),
    ...(apk.checksum === undefined ? {} : { checksums: [{ scheme: 'apk-pull', value: apk.checksum }] }),
    evidence: [{ path, layer }],
    technique: 'manifest-analysis',
    layer,
    cataloger: apkCataloger.name,
  };
}

interface Found {
  readonly apk: ApkPackage;
  readonly package: Package;
}

/** apk resolves a need by package name or by what packages provide (`so:`, `cmd:`, `pc:`, a path), versions aside. */
function relationsOf(found: readonly Found[]): readonly Relation[] {
  const providers = Map.groupBy(
    found.flatMap(({ apk, package: { purl } }) =>
      [apk.name, ...apk.provides.map(withoutVersion)].map((name) => ({ name, purl })),
    ),
    ({ name }) => name,
  );
  return found.flatMap(({ apk, package: { purl: from } }) =>
    apk.needs
      .filter((need) => !need.startsWith('!'))
      .flatMap((need) => providers.get(withoutVersion(need)) ?? [])
      .map(({ purl: to }) => ({ kind: 'dependsOn' as const, from, to })),
  );
}

function withoutVersion(need: string): string {
  return need.replace(/[<>=~].*$/, '').replace(/@[^@/]*$/, '');
}
