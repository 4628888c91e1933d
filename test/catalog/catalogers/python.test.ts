import { describe, expect, test } from 'vitest';
import { pythonCataloger } from '../../../src/catalog/catalogers/python/python.ts';
import { mayHold, parseRequirement } from '../../../src/catalog/catalogers/python/requirement.ts';
import { edgesOf, findingsOf } from '../../support/catalog-tester.ts';

const SITE = 'usr/local/lib/python3.11/site-packages';
const metadata = (name: string, version: string, more = ''): string =>
  `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n${more}\n\nLong description\nName: not-this\n`;

describe('packages', () => {
  test('of wheels, unpacked eggs and single-file eggs, by their normalised names', async () => {
    const { packages } = await findingsOf(pythonCataloger, {
      [`${SITE}/ruamel.yaml-0.17.dist-info/METADATA`]: metadata('ruamel.yaml', '0.17'),
      [`${SITE}/Foo_Bar.egg-info/PKG-INFO`]: metadata('Foo_Bar', '1'),
      [`${SITE}/baz-2.egg-info`]: metadata('baz', '2'),
      [`${SITE}/qux-3-py3.egg/EGG-INFO/PKG-INFO`]: metadata('qux', '3'),
      [`${SITE}/other.dist-info/RECORD`]: 'x',
    });
    expect(packages.map(({ purl }) => purl)).toEqual([
      'pkg:pypi/baz@2',
      'pkg:pypi/foo-bar@1',
      'pkg:pypi/qux@3',
      'pkg:pypi/ruamel-yaml@0.17',
    ]);
  });

  test.for([
    ['License-Expression: MIT OR Apache-2.0\nLicense: x', ['MIT OR Apache-2.0']],
    ['License: BSD-3-Clause\nClassifier: License :: OSI Approved :: BSD License', ['BSD-3-Clause']],
    ['License: The MIT License (see file)\nClassifier: License :: OSI Approved :: MIT License', ['MIT']],
    [
      'License: Copyright me\n  All rights\n  reserved\nClassifier: License :: OSI Approved :: Apache Software License',
      ['Apache-2.0'],
    ],
    ['License: UNKNOWN', []],
    ['License: Some Licence', ['Some Licence']],
  ] as const)('have the licences of %j', async ([more, expected]) => {
    const { packages } = await findingsOf(pythonCataloger, {
      [`${SITE}/a-1.dist-info/METADATA`]: metadata('a', '1', more),
    });
    expect(packages[0]?.licenses).toEqual(expected);
  });

  test('without a name are reported', async () => {
    const { unknowns } = await findingsOf(pythonCataloger, { [`${SITE}/a-1.dist-info/METADATA`]: 'Version: 1\n' });
    expect(unknowns).toMatchObject([{ reason: 'the metadata has no name' }]);
  });
});

describe('the graph', () => {
  test('takes what is required and installed, and not what only an extra asks for', async () => {
    const requires = ['idna (<4,>=2.5)', 'Ch.ardet[x]>=3; python_version < "3"', "PySocks; extra == 'socks'", 'gone'];
    const inventory = await findingsOf(pythonCataloger, {
      [`${SITE}/requests-2.dist-info/METADATA`]: metadata(
        'requests',
        '2',
        requires.map((each) => `Requires-Dist: ${each}`).join('\n'),
      ),
      [`${SITE}/idna-3.dist-info/METADATA`]: metadata('idna', '3'),
      [`${SITE}/ch_ardet-5.dist-info/METADATA`]: metadata('ch_ardet', '5'),
      [`${SITE}/PySocks-1.dist-info/METADATA`]: metadata('PySocks', '1'),
      'opt/venv/lib/python3.11/site-packages/idna-2.dist-info/METADATA': metadata('idna', '2'),
    });
    expect(edgesOf(inventory)).toEqual(['requests@2 → idna@3']);
  });
});

describe('markers', () => {
  const environment = { pythonVersion: '3.11' };
  test.for([
    ['', true],
    ['python_version >= "3.8"', true],
    ['python_version < "3.8"', false],
    ['python_version < "3.10" and sys_platform == "linux"', false],
    ['python_version < "3.10" or platform_machine == "x86_64"', true],
    ['sys_platform == "win32"', false],
    ['os_name == "nt" or (platform_system != "Windows" and python_version > "3")', true],
    ['extra == "test"', false],
    ['extra == "test" or python_version >= "3"', true],
    ['platform_python_implementation == "PyPy"', true],
    ['"x" in platform_release', true],
    ['((((', true],
    ['not a marker at all', true],
  ] as const)('%j may hold: %s', ([marker, expected]) => {
    expect(mayHold(marker, environment)).toBe(expected);
  });

  test('of any length do no harm', () => {
    expect(mayHold('('.repeat(100_000), environment)).toBe(true);
    expect(mayHold(`os_name == "nt"${' or os_name == "nt"'.repeat(100_000)}`, environment)).toBe(true);
  });

  test('stand behind the semicolon of a requirement', () => {
    expect(parseRequirement('Foo.Bar [a,b] >=1; os_name == "nt"')).toEqual({
      name: 'foo-bar',
      marker: 'os_name == "nt"',
    });
    expect(parseRequirement(' ???')).toBeUndefined();
  });
});
