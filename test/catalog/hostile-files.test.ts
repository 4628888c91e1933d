import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cataloger } from '../../src/catalog/cataloger.ts';
import { CATALOGERS } from '../../src/catalog/catalogers/index.ts';
import type { Inventory } from '../../src/catalog/inventory.ts';
import { osReleaseReader } from '../../src/catalog/os-release.ts';
import { findingsOf } from '../support/catalog-tester.ts';

/** For each cataloger, paths it selects and pieces its format is made of. */
const CASES: readonly { readonly path: string; readonly pieces: readonly string[] }[] = [
  { path: 'etc/os-release', pieces: ['ID=', 'VERSION_ID=', '"', "'", '\\', '\n', 'debian', '__proto__='] },
  {
    path: 'lib/apk/db/installed',
    pieces: ['P:', 'V:', 'D:', 'p:', 'F:', 'R:', 'so:a=1', '!x', '\n', '\n\n', 'a', '__proto__'],
  },
  {
    path: 'var/lib/dpkg/status',
    pieces: [
      'Package: ',
      'Version: ',
      'Depends: ',
      'Provides: ',
      'Source: a (',
      'Status: install ok installed',
      '\n',
      '\n\n',
      ' ',
      ',',
      '|',
      '(',
      ')',
      'a',
      '1',
    ],
  },
  {
    path: 'usr/share/doc/a/copyright',
    pieces: [
      'Format: copyright-format',
      'License: ',
      'GPL-2+',
      ' or ',
      ' and ',
      ' with ',
      '\n',
      '\n\n',
      '/usr/share/common-licenses/',
      'x',
    ],
  },
  {
    path: 'node_modules/a/package.json',
    pieces: [
      '{',
      '}',
      '"name":',
      '"version":',
      '"a"',
      ',',
      '"license":',
      '[',
      ']',
      'null',
      '1',
      '"dependencies":',
      '"__proto__":',
    ],
  },
  {
    path: 'node_modules/.package-lock.json',
    pieces: ['{', '}', '"packages":', '"node_modules/a":', '"integrity":', '"sha512-AA=="', ',', 'null'],
  },
  {
    path: 's/a.dist-info/METADATA',
    pieces: [
      'Name: ',
      'Version: ',
      'Requires-Dist: ',
      'License: ',
      'Classifier: License :: ',
      ';',
      ' extra == "a"',
      '(',
      ')',
      ' and ',
      '\n',
      '\n\n',
      'a',
      '1',
    ],
  },
];

describe('whatever a file holds, the outcome is packages and unknowns', () => {
  const all: readonly Cataloger[] = [osReleaseReader, ...CATALOGERS];
  test.for(CASES)('$path', async ({ path, pieces }) => {
    expect.hasAssertions();
    const cataloger = all.find((each) => each.selects({ path, type: 'file', size: 1, mode: 0o644 })) ?? osReleaseReader;
    const body = fc.oneof(
      fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((parts) => Buffer.from(parts.join(''))),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    );
    await fc.assert(
      fc.asyncProperty(body, async (bytes) => {
        expectSound(await findingsOf(cataloger, { [path]: bytes }));
      }),
      { numRuns: 150 },
    );
  });

  test('a binary with the magic of Go', async () => {
    expect.hasAssertions();
    const go = CATALOGERS.find(({ name }) => name === 'go') ?? osReleaseReader;
    const magic = Buffer.from('7f454c460201010000000000000000ff20476f206275696c64696e663a', 'hex');
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat(40), async (bytes, zeros) => {
        const head = Buffer.concat([
          magic.subarray(0, 16),
          Buffer.from([0xff]),
          magic.subarray(16),
          Buffer.alloc(0),
          bytes,
        ]);
        const file = Buffer.concat([head, Buffer.alloc(70_000 + zeros)]);
        expectSound(await findingsOf(go, { 'bin/x': file }));
      }),
      { numRuns: 60 },
    );
  });
});

/** Every package is named and shown by something, every edge has both its ends, every unknown its reason. */
function expectSound({ packages, relations, unknowns }: Inventory): void {
  const purls = new Set(packages.map(({ purl }) => purl));
  expect(packages.filter(({ name, evidence }) => name === '' || evidence.length === 0)).toEqual([]);
  expect(relations.filter(({ from, to }) => !purls.has(from) || !purls.has(to))).toEqual([]);
  expect(unknowns.filter(({ reason }) => reason === '')).toEqual([]);
}
