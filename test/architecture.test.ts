import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

/** Folder → the folders it may import beside itself. Read downwards: an arrow never points down. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  oci: ['base'],
  intoto: ['base', 'oci'],
  tar: ['base'],
  source: ['base', 'oci', 'tar'],
  image: ['base', 'oci', 'tar', 'source'],
  catalog: ['base', 'oci', 'source', 'image'],
  bom: ['base', 'oci', 'catalog'],
  sign: ['base', 'oci', 'intoto'],
  referrers: ['base', 'oci', 'tar', 'source'],
  verify: ['base', 'oci', 'intoto'],
  policy: ['base', 'oci', 'intoto', 'verify', 'bom'],
  trust: ['base', 'oci', 'sign', 'verify'],
  workload: ['base', 'oci'],
  sandbox: ['base', 'oci', 'intoto'],
  actions: [
    'base',
    'oci',
    'intoto',
    'source',
    'image',
    'catalog',
    'bom',
    'sign',
    'referrers',
    'verify',
    'policy',
    'trust',
    'workload',
    'sandbox',
  ],
  report: [
    'base',
    'oci',
    'intoto',
    'image',
    'catalog',
    'bom',
    'sign',
    'referrers',
    'verify',
    'policy',
    'trust',
    'workload',
    'sandbox',
    'actions',
  ],
  commands: ['base', 'oci', 'sign', 'verify', 'policy', 'actions', 'report', 'sandbox'],
  'cli.ts': ['base', 'commands'],
  'bin.ts': ['base', 'commands', 'cli.ts'],
  'index.ts': [
    'base',
    'oci',
    'intoto',
    'source',
    'image',
    'catalog',
    'bom',
    'sign',
    'referrers',
    'verify',
    'policy',
    'trust',
    'workload',
    'sandbox',
    'actions',
    'report',
  ],
};

/** Folders whose imports from these must be `import type`: views know results, not how they are made; catalogers are handed bytes. */
const TYPES_ONLY: Readonly<Record<string, readonly string[]>> = {
  catalog: ['source'],
  report: ['image', 'catalog', 'sign', 'referrers', 'verify', 'policy', 'trust', 'workload', 'sandbox', 'actions'],
};

/** Package → the files or folders (with a slash) that may import it. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  undici: ['source/http.ts'],
  '@noble/ciphers': ['sign/key/secret-box.ts'],
  '@cyclonedx/cyclonedx-library': ['bom/cyclonedx/'],
  '@sigstore/sign': ['sign/'],
  '@sigstore/bundle': ['sign/', 'verify/'],
  '@sigstore/protobuf-specs': ['sign/', 'verify/', 'sandbox/'],
  '@sigstore/core': ['sign/', 'verify/', 'sandbox/'],
  '@sigstore/verify': ['verify/'],
  '@sigstore/tuf': ['verify/'],
  'tuf-js': ['trust/'],
  '@sigstore/mock': ['sandbox/'],
  '@noble/curves': ['verify/digest-signature.ts'],
  jose: ['sign/', 'sandbox/'],
  'openid-client': ['sign/oidc/'],
  commander: ['cli.ts', 'commands/'],
  yaml: ['policy/', 'workload/'],
  re2js: ['policy/'],
  'smol-toml': ['source/'],
  'spdx-expression-parse': ['bom/', 'catalog/'],
};

const MAX_LINES = 300;

/** What only bin.ts may touch. Everything else is told by its Context. */
const WORLD = /\bprocess\b(?!\w|')|\bnew Date\(\)|\bDate\.now\(|\bconsole\.|\bperformance\.now\(/;

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .toSorted();
const textOf = new Map(files.map((file) => [file, readFileSync(join('src', file), 'utf8')]));
const imports = files.flatMap(importsOf);
const internal = imports
  .filter(({ to }) => to.startsWith('.'))
  .map((found) => ({ ...found, to: normalize(join(dirname(found.from), found.to)) }));
const external = imports.filter(({ to }) => !to.startsWith('.'));

describe('the house', () => {
  test('every folder is in the table, and every arrow of the table points up', () => {
    expect(new Set(files.map(roomOf).filter((room) => !(room in MAY_IMPORT)))).toEqual(new Set());
    const order = Object.keys(MAY_IMPORT);
    const down = order.flatMap((room) =>
      (MAY_IMPORT[room] ?? []).filter((to) => to !== 'cli.ts' && order.indexOf(to) >= order.indexOf(room)),
    );
    expect(down).toEqual([]);
  });

  test('a folder imports only what it may', () => {
    const broken = internal.filter(
      ({ from, to }) => roomOf(from) !== roomOf(to) && !(MAY_IMPORT[roomOf(from)] ?? []).includes(roomOf(to)),
    );
    expect(broken.map(arrow)).toEqual([]);
  });

  test('where only types may be imported, only types are', () => {
    const broken = internal.filter(
      ({ from, to, typeOnly }) => !typeOnly && (TYPES_ONLY[roomOf(from)] ?? []).includes(roomOf(to)),
    );
    expect(broken.map(arrow)).toEqual([]);
  });

  test('no imports run in a circle', () => {
    expect(findCircle(internal).join(' → ')).toBe('');
  });

  test('nothing imports the public index', () => {
    expect(internal.filter(({ to }) => to === 'index.ts').map(arrow)).toEqual([]);
  });

  test('a package has one owner', () => {
    const packages = external.filter(({ to }) => !to.startsWith('node:'));
    const strays = packages.filter(
      ({ from, to }) =>
        !(OWNERS[packageOf(to)] ?? []).some(
          (owner) => from === owner || (owner.endsWith('/') && from.startsWith(owner)),
        ),
    );
    expect(strays.map(arrow)).toEqual([]);
  });

  test('builtin modules are imported with node:', () => {
    expect(external.filter(({ to }) => builtinModules.includes(to)).map(arrow)).toEqual([]);
  });

  test(`no file has more than ${MAX_LINES} lines`, () => {
    const long = files.map((file) => ({ file, lines: (textOf.get(file) ?? '').trimEnd().split('\n').length }));
    expect(long.filter(({ lines }) => lines > MAX_LINES)).toEqual([]);
  });

  test('only bin.ts touches process, console and clock', () => {
    const places = files
      .filter((file) => file !== 'bin.ts')
      .flatMap((file) => codeLines(file).map((line, at) => ({ line, at: `${file}:${at + 1}` })))
      .filter(({ line }) => WORLD.test(line));
    expect(places.map(({ at, line }) => `${at} ${line.trim()}`)).toEqual([]);
  });
});

function importsOf(from: string): readonly Import[] {
  const found = (textOf.get(from) ?? '').matchAll(
    /^(?:import|export)\s+(type\s)?[^;'"]*?\bfrom\s*['"]([^'"]+)['"]|^import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm,
  );
  return [...found].map(([, type, named, bare, lazy]) => ({
    from,
    to: named ?? bare ?? lazy ?? '',
    typeOnly: type !== undefined,
  }));
}

/** The lines of a file without comments and without what stands in strings, so that words in messages do not count. */
function codeLines(file: string): readonly string[] {
  const blank = (text: string): string => text.replaceAll(/[^\n]/g, ' ');
  return (textOf.get(file) ?? '')
    .replaceAll(/\/\*[\s\S]*?\*\/|(?<!:)\/\/[^\n]*|'(?:[^'\\\n]|\\.)*'/g, blank)
    .split('\n');
}

function roomOf(file: string): string {
  return file.split('/')[0] ?? file;
}

function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function arrow({ from, to }: Import): string {
  return `${from} → ${to}`;
}

function findCircle(arrows: readonly Import[]): readonly string[] {
  const next = Map.groupBy(arrows, ({ from }) => from);
  const finished = new Set<string>();
  const follow = (file: string, path: readonly string[]): readonly string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (finished.has(file)) return [];
    const circle = (next.get(file) ?? [])
      .map(({ to }) => follow(to, [...path, file]))
      .find((found) => found.length > 0);
    finished.add(file);
    return circle ?? [];
  };
  return files.map((file) => follow(file, [])).find((found) => found.length > 0) ?? [];
}
