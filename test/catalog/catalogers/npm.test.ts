import { describe, expect, test } from 'vitest';
import { npmCataloger } from '../../../src/catalog/catalogers/npm/npm.ts';
import { edgesOf, findingsOf } from '../../support/catalog-tester.ts';

const manifest = (name: string, version: string, more: object = {}): string =>
  JSON.stringify({ name, version, ...more });

describe('packages', () => {
  test('are package roots: scoped, nested and linked ones, and no helper files', async () => {
    const { packages } = await findingsOf(npmCataloger, {
      'app/package.json': manifest('app', '0.0.1'),
      'app/node_modules/a/package.json': manifest('a', '1.0.0'),
      'app/node_modules/a/esm/package.json': '{"type":"module"}',
      'app/node_modules/a/test/fixture/package.json': manifest('fixture', '9.9.9'),
      'app/node_modules/a/node_modules/b/package.json': manifest('b', '2.0.0'),
      'app/node_modules/@s/c/package.json': manifest('@s/c', '3.0.0'),
      'app/node_modules/.bin/package.json': manifest('bin', '1.0.0'),
      'node_modules/root/package.json': manifest('root', '4.0.0'),
      'app/node_modules/helper/package.json': '{"main":"x.js"}',
    });
    expect(packages.map(({ purl }) => purl)).toEqual([
      'pkg:npm/%40s/c@3.0.0',
      'pkg:npm/a@1.0.0',
      'pkg:npm/b@2.0.0',
      'pkg:npm/root@4.0.0',
    ]);
    expect(packages[0]).toMatchObject({ name: 'c', namespace: '@s' });
  });

  test('found twice are one, with both places as evidence and the lower layer', async () => {
    const { packages } = await findingsOf(
      npmCataloger,
      { 'b/node_modules/a/package.json': manifest('a', '1.0.0') },
      { 'a/node_modules/a/package.json': manifest('a', '1.0.0') },
    );
    expect(packages).toHaveLength(1);
    expect(packages[0]?.evidence.map(({ path, layer }) => [path, layer.index])).toEqual([
      ['a/node_modules/a/package.json', 1],
      ['b/node_modules/a/package.json', 0],
    ]);
    expect(packages[0]?.layer.index).toBe(0);
  });

  test.for([
    [{ license: 'MIT' }, ['MIT']],
    [{ license: { type: 'ISC', url: 'x' } }, ['ISC']],
    [{ licenses: [{ type: 'MIT' }, { type: 'Apache-2.0' }] }, ['MIT', 'Apache-2.0']],
    [{ license: '(MIT OR Apache-2.0)' }, ['(MIT OR Apache-2.0)']],
    [{ license: 7 }, []],
    [{}, []],
  ] as const)('have the licences of %o', async ([more, expected]) => {
    const { packages } = await findingsOf(npmCataloger, {
      'node_modules/a/package.json': manifest('a', '1.0.0', more),
    });
    expect(packages[0]?.licenses).toEqual(expected);
  });

  test('carry the download the hidden lockfile tells of', async () => {
    const sri = `sha512-${Buffer.alloc(64, 7).toString('base64')}`;
    const resolved = 'https://registry.npmjs.org/a/-/a-1.0.0.tgz';
    const { packages } = await findingsOf(npmCataloger, {
      'app/node_modules/.package-lock.json': JSON.stringify({
        packages: { 'node_modules/a': { version: '1.0.0', resolved, integrity: sri } },
      }),
      'app/node_modules/a/package.json': manifest('a', '1.0.0'),
    });
    expect(packages[0]?.distribution).toEqual({
      url: resolved,
      hashes: [{ algorithm: 'SHA-512', hex: '07'.repeat(64) }],
    });
  });

  test.for(['[]', '{"name":1,"version":"1"}', '{"name":"a","name":"b","version":"1"}', ''])(
    'that cannot be understood are reported: %j',
    async (text) => {
      const { packages, unknowns } = await findingsOf(npmCataloger, { 'node_modules/a/package.json': text });
      expect(packages).toEqual([]);
      expect(unknowns).toMatchObject([{ path: 'node_modules/a/package.json', cataloger: 'npm' }]);
    },
  );
});

describe('the graph', () => {
  test('is what Node would load: the nearest node_modules upwards', async () => {
    const inventory = await findingsOf(npmCataloger, {
      'app/node_modules/a/package.json': manifest('a', '1.0.0', {
        dependencies: { b: '*' },
        peerDependencies: { c: '*' },
      }),
      'app/node_modules/a/node_modules/b/package.json': manifest('b', '2.0.0', { optionalDependencies: { gone: '*' } }),
      'app/node_modules/b/package.json': manifest('b', '1.0.0', { dependencies: { c: '*' } }),
      'app/node_modules/c/package.json': manifest('c', '1.0.0', { devDependencies: { a: '*' } }),
      'other/node_modules/b/package.json': manifest('b', '3.0.0'),
    });
    expect(edgesOf(inventory)).toEqual(['a@1.0.0 → b@2.0.0', 'a@1.0.0 → c@1.0.0', 'b@1.0.0 → c@1.0.0']);
  });

  test('follows the links of pnpm', async () => {
    const inventory = await findingsOf(npmCataloger, {
      'node_modules/.pnpm/a@1.0.0/node_modules/a/package.json': manifest('a', '1.0.0', { dependencies: { b: '*' } }),
      'node_modules/.pnpm/a@1.0.0/node_modules/b': { symlink: '../../b@2.0.0/node_modules/b' },
      'node_modules/.pnpm/b@2.0.0/node_modules/b/package.json': manifest('b', '2.0.0'),
      'node_modules/a': { symlink: '.pnpm/a@1.0.0/node_modules/a' },
    });
    expect(inventory.packages.map(({ evidence }) => evidence.length)).toEqual([1, 1]);
    expect(edgesOf(inventory)).toEqual(['a@1.0.0 → b@2.0.0']);
  });
});
