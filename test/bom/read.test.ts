import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isBoltsealError } from '../../src/base/errors.ts';
import { readBom } from '../../src/bom/read.ts';

const bom = (more: object = {}): string =>
  JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, ...more });

describe('reading', () => {
  test.for(['1.2', '1.3', '1.4', '1.5', '1.6', '1.7'])('understands CycloneDX %s', (specVersion) => {
    expect(readBom(bom({ specVersion }))).toMatchObject({ format: 'cyclonedx', specVersion, components: [] });
  });

  test('finds nested components, licences of every form and properties', () => {
    const document = readBom(
      bom({
        metadata: { timestamp: '2026-01-01T00:00:00Z', component: { type: 'container', name: 'img', version: '1' } },
        components: [
          {
            type: 'library',
            name: 'outer',
            purl: 'pkg:npm/outer@1',
            licenses: [{ license: { id: 'MIT' } }, { license: { name: 'Own' } }],
            components: [{ type: 'library', name: 'inner', licenses: [{ expression: 'MIT OR ISC' }] }],
            properties: [
              { name: 'a', value: '1' },
              { name: 'a', value: '2' },
            ],
          },
        ],
      }),
    );
    expect(document.subject?.name).toBe('img');
    expect(document.components.map(({ name, licenses }) => [name, licenses])).toEqual([
      ['outer', ['MIT', 'Own']],
      ['inner', ['MIT OR ISC']],
    ]);
    expect(document.components[0]?.properties).toEqual({ a: ['1', '2'] });
  });

  test.for([
    ['another format', '{"spdxVersion":"SPDX-2.3"}', 'BOM_INVALID'],
    ['an unknown version', bom({ specVersion: '2.0' }), 'BOM_INVALID'],
    ['components that are no list', bom({ components: {} }), 'BOM_INVALID'],
    ['a component without a name', bom({ components: [{ type: 'library' }] }), 'BOM_INVALID'],
    [
      'a nested component without a type',
      bom({ components: [{ type: 'library', name: 'a', components: [{ name: 'b' }] }] }),
      'BOM_INVALID',
    ],
    [
      'a licence that says nothing',
      bom({ components: [{ type: 'library', name: 'a', licenses: [{ license: {} }] }] }),
      'BOM_INVALID',
    ],
    [
      'a key that is there twice',
      '{"bomFormat":"CycloneDX","specVersion":"1.5","components":[],"components":[]}',
      'JSON_INVALID',
    ],
    ['a list', '[]', 'BOM_INVALID'],
    ['no JSON', '<bom/>', 'JSON_INVALID'],
  ] as const)('refuses %s', ([, text, code]) => {
    expect(() => readBom(text)).toThrow(expect.objectContaining({ code }) as Error);
  });

  test('never fails in another way', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom('components', 'metadata', 'version'), (value, key) => {
        const problem = problemOf(() => readBom(bom({ [key]: value })));
        expect(problem === undefined || isBoltsealError(problem, 'BOM_INVALID', 'JSON_INVALID')).toBe(true);
      }),
    );
  });
});

function problemOf(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}
