import { describe, expect, test } from 'vitest';
import { osReleaseReader } from '../../src/catalog/os-release.ts';
import { mergeFindings } from '../../src/catalog/merge-findings.ts';
import type { Findings, LayerRef, Package } from '../../src/catalog/package.ts';
import { digestOf } from '../../src/oci/digest.ts';

const layer = (index: number): LayerRef => ({ index, diffId: digestOf(String(index)) });
const found = (name: string, path: string, at = 0): Package => ({
  type: 'pypi',
  kind: 'language',
  name,
  purl: `pkg:pypi/${name}`,
  licenses: [],
  evidence: [{ path, layer: layer(at) }],
  technique: 'manifest-analysis',
  layer: layer(at),
  cataloger: 'test',
});
const merge = (findings: Partial<Findings>): ReturnType<typeof mergeFindings> =>
  mergeFindings(
    [{ packages: [], relations: [], unknowns: [], relationsComplete: true, ...findings, cataloger: osReleaseReader }],
    { distro: undefined, layers: [layer(0), layer(1)], unread: [] },
  );

describe('the owner', () => {
  const owners = new Map([['usr/lib/six', 'pkg:deb/debian/python3-six']]);

  test('is named when every file is the owner’s', () => {
    const { packages } = merge({ packages: [found('six', 'usr/lib/six')], owners });
    expect(packages[0]?.ownedBy).toBe('pkg:deb/debian/python3-six');
  });

  test('is not named when there is another copy that nobody owns', () => {
    const { packages } = merge({ packages: [found('six', 'usr/lib/six'), found('six', 'venv/six')], owners });
    expect(packages).toHaveLength(1);
    expect(packages[0]).not.toHaveProperty('ownedBy');
  });
});

test('an edge whose end is no package of the inventory, or is its own start, is left out', () => {
  const edge = (from: string, to: string) => ({
    kind: 'dependsOn' as const,
    from: `pkg:pypi/${from}`,
    to: `pkg:pypi/${to}`,
  });
  const packages = [found('a', 'a'), found('b', 'b')];
  const { relations } = merge({
    packages,
    relations: [edge('a', 'b'), edge('a', 'b'), edge('a', 'gone'), edge('gone', 'b'), edge('b', 'b')],
  });
  expect(relations).toEqual([edge('a', 'b')]);
});

test('the same package in two places has the lower layer and both pieces of evidence', () => {
  const { packages } = merge({ packages: [found('a', 'x', 1), found('a', 'y', 0)] });
  expect(packages[0]?.layer).toEqual(layer(0));
  expect(packages[0]?.evidence.map(({ path }) => path)).toEqual(['x', 'y']);
});

test('a type is complete only when every cataloger of it says so', () => {
  expect(merge({ packages: [found('a', 'x')] }).completeTypes).toEqual(['pypi']);
  expect(merge({ packages: [found('a', 'x')], relationsComplete: false }).completeTypes).toEqual([]);
});
