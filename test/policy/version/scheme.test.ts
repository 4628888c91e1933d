import { describe, expect, test } from 'vitest';
import { RANGE_TYPES, schemeFor } from '../../../src/policy/version/scheme.ts';

/** Versions in rising order, from the specifications' own examples and from what their tools say. */
const RISING: Readonly<Record<string, readonly string[]>> = {
  maven: [
    '1.0-alpha-1',
    '1.0-alpha2',
    '1.0-beta1',
    '1.0-milestone1',
    '1.0.RC2',
    '1.0-RC3',
    '1.0-SNAPSHOT',
    '1.0',
    '1.0-sp',
    '1.0-jre',
    '1-1',
    '1.0.1',
    '1.1',
    '1.2-beta-2',
    '1.2',
    '1.10',
    '2.9.0',
    '2.17.0',
    '2.17.1',
    '2.17.2',
    '10.0',
  ],
  npm: [
    '0.9.9',
    '1.0.0-0',
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
    '1.0.1',
    '1.9.0',
    '1.10.0',
    '2.0.0',
  ],
  golang: ['v0.0.0-20190101000000-aaaaaaaaaaaa', 'v0.1.0', 'v1.2.3', 'v1.10.0'],
  deb: [
    '1.0~~',
    '1.0~~a',
    '1.0~',
    '1.0',
    '1.0-1',
    '1.0-1+b1',
    '1.0-1.1',
    '1.0a',
    '1.0+dfsg',
    '1.1',
    '1.9',
    '1.10',
    '9999',
    '1:0.1',
    '2:0',
  ],
  apk: [
    '0.1',
    '1.01',
    '1.1_alpha',
    '1.1_alpha2',
    '1.1_beta',
    '1.1_pre1',
    '1.1_rc1',
    '1.1',
    '1.1-r1',
    '1.1-r10',
    '1.1_p1',
    '1.1a',
    '1.1b',
    '1.1.1',
    '1.2',
    '1.10',
    '10.0',
  ],
  rpm: ['0.9', '1.0~rc1', '1.0', '1.0^git1', '1.0.a', '1.0.1', '1.9', '1.10', '1:0.1'],
  pypi: [
    '1.0.dev1',
    '1.0a1.dev1',
    '1.0a1',
    '1.0a2',
    '1.0b1',
    '1.0rc1',
    '1.0',
    '1.0+local',
    '1.0.post1.dev1',
    '1.0.post1',
    '1.0.1',
    '1.9',
    '1.10',
    '2!0.1',
  ],
};

const SAME: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  maven: [
    ['1', '1.0.0'],
    ['1.0', '1.ga'],
    ['1.0-final', '1.0.release'],
    ['1.0-rc1', '1.0-CR1'],
    ['1.0-a1', '1.0-alpha-1'],
    ['1.0.0-foo.0.0', '1-foo'],
    ['1.0.0-0.0.0', '1'],
  ],
  npm: [
    ['1.0.0', '1.0.0+build'],
    ['1.0.0', 'v1.0.0'],
  ],
  deb: [
    ['1.0', '1.0-0'],
    ['1.0', '0:1.0'],
    ['1.00', '1.0'],
  ],
  rpm: [
    ['1.0', '0:1.0'],
    ['1.0', '1.0-7'],
    ['1.05', '1.5'],
    ['1.0', '1_0'],
  ],
  apk: [['1.0', '1.0-r0']],
  pypi: [
    ['1.0', '1.0.0'],
    ['1.0rc1', '1.0-RC.1'],
    ['1.0.post1', '1.0-1'],
    ['1.0a', '1.0alpha0'],
  ],
};

const NO_VERSION: Readonly<Record<string, readonly string[]>> = {
  maven: ['', 'LATEST', '${project.version}', '[1.0,2.0)'],
  npm: ['latest', '1.0', '1', '', '01.0.0'],
  deb: ['', '1.0 1', 'a b'],
  apk: ['', 'edge', '1.0_foo', '1.0-1'],
  rpm: ['', '1.0 0'],
  pypi: ['', 'latest', '1.0-'],
};

describe.each(Object.entries(RISING))('versions of %s', (type, rising) => {
  const compare = schemeFor(type);

  test('rise in the order that the ecosystem gives them', () => {
    for (const [at, lower] of rising.entries())
      for (const [other, higher] of rising.entries())
        expect([lower, higher, Math.sign(compare?.(lower, higher) ?? Number.NaN)]).toEqual([
          lower,
          higher,
          Math.sign(at - other),
        ]);
  });

  test('are the same in another spelling', () => {
    for (const [a, b] of SAME[type] ?? []) expect([a, b, compare?.(a, b)]).toEqual([a, b, 0]);
  });

  test('are not compared when one is none', () => {
    for (const text of NO_VERSION[type] ?? [])
      expect([text, compare?.(text, rising[0] ?? '')]).toEqual([text, undefined]);
  });
});

test('a type without rules has no comparison', () => {
  expect(schemeFor('gem')).toBeUndefined();
  expect(schemeFor('constructor')).toBeUndefined();
  expect(RANGE_TYPES).toContain('deb');
});
