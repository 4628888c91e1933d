import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { buildPurl, type PurlParts } from '../../src/catalog/purl.ts';
import { VECTORS } from '../support/vectors.ts';

interface Vector {
  readonly description: string;
  readonly test_type: 'build' | 'parse' | 'validate';
  readonly input: unknown;
  readonly expected_output: unknown;
  readonly expected_failure: boolean;
}

/** The types boltseal makes purls of. */
const OURS = ['apk', 'deb', 'golang', 'npm', 'oci', 'pypi', 'rpm', 'generic'];

const vectors = OURS.flatMap((type) => {
  const file = VECTORS === undefined ? undefined : join(VECTORS, 'purl/types', `${type}-test.json`);
  if (file === undefined || !readdirSync(join(file, '..')).includes(`${type}-test.json`)) return [];
  const { tests } = JSON.parse(readFileSync(file, 'utf8')) as { readonly tests: readonly Vector[] };
  return tests.map((vector) => ({ ...vector, type }));
});

describe.skipIf(vectors.length === 0)('the specification’s corpus (skipped where the test vectors are missing)', () => {
  test('has cases of the types boltseal makes', () => {
    expect(vectors.length).toBeGreaterThan(20);
  });

  const built = vectors.filter(({ test_type: kind, expected_failure: fails }) => kind === 'build' && !fails);
  test.for(built)('$type builds $expected_output', ({ input, expected_output: expected }) => {
    const parts = Object.fromEntries(Object.entries(input as object).filter(([, value]) => value !== null));
    expect(buildPurl(parts as unknown as PurlParts)).toBe(expected);
  });
  const canonical = vectors.filter(({ test_type: kind }) => kind === 'validate');
  const parsed = vectors.flatMap(({ test_type: kind, type, input, expected_output: parts }) => {
    const same = canonical.find((each) => each.type === type && each.input === input);
    return kind !== 'parse' || typeof parts !== 'object' || parts === null || same === undefined
      ? []
      : [{ input, parts, expected: same.expected_output }];
  });
  test.for(parsed)('the parts of $input build its canonical form', ({ parts, expected }) => {
    const given = Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== null));
    expect(buildPurl(given as unknown as PurlParts)).toBe(expected);
  });
});

describe('values from an image', () => {
  test.for([
    ['1.0?arch=evil#x', 'pkg:deb/debian/a@1.0%3Farch%3Devil%23x'],
    ['1:2.3+dfsg~rc1-4', 'pkg:deb/debian/a@1:2.3%2Bdfsg~rc1-4'],
    ["1.0'()!*", 'pkg:deb/debian/a@1.0%27%28%29%21%2A'],
    ['1.0@2/3', 'pkg:deb/debian/a@1.0%402%2F3'],
    ['\u{d800}', 'pkg:deb/debian/a@%EF%BF%BD'],
  ])('cannot break out of the version: %s', ([version = '', expected]) => {
    expect(buildPurl({ type: 'deb', namespace: 'debian', name: 'a', version })).toBe(expected);
  });

  test('leaves out qualifiers without a value', () => {
    expect(buildPurl({ type: 'deb', name: 'a', qualifiers: { distro: undefined, arch: '', upstream: 'b' } })).toBe(
      'pkg:deb/a?upstream=b',
    );
  });
});
