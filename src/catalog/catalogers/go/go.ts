import type { Cataloger, CatalogView } from '../../cataloger.ts';
import type { Package, Relation, Unknown } from '../../package.ts';
import { buildPurl } from '../../purl.ts';
import { mainVersion, type GoBuildInfo, type GoModule } from './build-info.ts';
import { goSink } from './go-sink.ts';

/** No Go program is smaller, so that scripts and small objects are not even opened. */
const SMALLEST_PROGRAM_BYTES = 64 * 1024;

/**
 * Programs written in Go, from the build information their linker embeds. The mode is not asked: a binary need not be
 * executable to be copied out and run.
 */
export const goCataloger: Cataloger<GoBuildInfo> = {
  name: 'go',
  version: 1,
  selects: ({ size }) => size >= SMALLEST_PROGRAM_BYTES,
  open: goSink,
  catalog: (view) => {
    const binaries = view.records.map(({ path, record }) => binaryOf(view, path, record));
    return {
      packages: binaries.flatMap(({ packages }) => packages),
      relations: binaries.flatMap(({ relations }) => relations),
      unknowns: binaries.flatMap(({ unknowns }) => unknowns),
      relationsComplete: false,
    };
  },
};

interface Binary {
  readonly packages: readonly Package[];
  readonly relations: readonly Relation[];
  readonly unknowns: readonly Unknown[];
}

/** The main module depends on everything linked into the binary; which module brought which is not recorded. */
function binaryOf(view: CatalogView<GoBuildInfo>, path: string, info: GoBuildInfo): Binary {
  const version = mainVersion(info);
  const mainPath = info.main?.path ?? info.mainPackage;
  const isMainKnown = mainPath !== undefined && mainPath !== '' && mainPath !== 'command-line-arguments';
  const main = isMainKnown ? toPackage(view, path, { path: mainPath, version: version ?? '' }) : undefined;
  const linked = [standardLibrary(info), ...info.dependencies].map((module) => toPackage(view, path, module));
  return {
    packages: [...(main === undefined ? [] : [main]), ...linked],
    relations: main === undefined ? [] : linked.map(({ purl }) => ({ kind: 'dependsOn', from: main.purl, to: purl })),
    unknowns:
      info.main === undefined && info.dependencies.length === 0
        ? [
            {
              path,
              cataloger: goCataloger.name,
              reason: 'a Go binary without module information: only its Go version is known',
            },
          ]
        : [],
  };
}

/** `go1.22.1 X:boringcrypto` → 1.22.1, as vulnerability databases call the standard library. */
function standardLibrary({ goVersion }: GoBuildInfo): GoModule {
  return { path: 'stdlib', version: /^go(\d\S*)/.exec(goVersion)?.[1] ?? goVersion };
}

function toPackage(view: CatalogView<GoBuildInfo>, path: string, { path: module, version, sum }: GoModule): Package {
  const slash = module.lastIndexOf('/');
  const namespace = slash < 0 ? undefined : module.slice(0, slash);
  const name = module.slice(slash + 1);
  const layer = view.broughtBy(path, (info) => holds(info, module, version));
  return {
    type: 'golang',
    kind: 'language',
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(version === '' ? {} : { version }),
    purl: buildPurl({ type: 'golang', namespace: namespace?.toLowerCase(), name: name.toLowerCase(), version }),
    licenses: [],
    ...(sum === undefined ? {} : { checksums: [{ scheme: 'go-h1', value: sum }] }),
    evidence: [{ path, layer }],
    technique: 'binary-analysis',
    layer,
    cataloger: goCataloger.name,
  };
}

function holds(info: GoBuildInfo, module: string, version: string): boolean {
  const main = { path: info.main?.path ?? info.mainPackage ?? '', version: mainVersion(info) ?? '' };
  return [main, standardLibrary(info), ...info.dependencies].some(
    (other) => other.path === module && other.version === version,
  );
}
