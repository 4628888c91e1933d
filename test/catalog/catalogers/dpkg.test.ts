import { describe, expect, test } from 'vitest';
import { parseDebianCopyright } from '../../../src/catalog/catalogers/dpkg/copyright.ts';
import { dpkgCataloger } from '../../../src/catalog/catalogers/dpkg/dpkg.ts';
import { edgesOf, findingsOf } from '../../support/catalog-tester.ts';

const OS = { 'etc/os-release': 'ID=debian\nVERSION_ID="12"\n' };
const status = (...stanzas: readonly string[]): Record<string, string> => ({
  ...OS,
  'var/lib/dpkg/status': stanzas.map((stanza) => `${stanza.trim()}\n\n`).join(''),
});
const installed = (name: string, more = ''): string =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.0\n${more}`;

describe('packages', () => {
  test('carry source, maintainer, homepage, description and a purl with its qualifiers', async () => {
    const { packages } = await findingsOf(
      dpkgCataloger,
      status(
        `Package: libc-bin\nStatus: install ok installed\nMaintainer: GNU Libc Maintainers <debian-glibc@lists.debian.org>\nArchitecture: amd64\nSource: glibc (2.36-9)\nVersion: 1:2.36-9+b1\nDescription: GNU C Library: Binaries\n This package\n .\n goes on\nHomepage: https://www.gnu.org/software/libc/libc.html`,
      ),
    );
    expect(packages).toHaveLength(1);
    expect(packages[0]).toMatchObject({
      name: 'libc-bin',
      namespace: 'debian',
      version: '1:2.36-9+b1',
      architecture: 'amd64',
      purl: 'pkg:deb/debian/libc-bin@1:2.36-9%2Bb1?arch=amd64&distro=debian-12&upstream=glibc%402.36-9',
      source: { name: 'glibc', version: '2.36-9' },
      supplier: 'GNU Libc Maintainers <debian-glibc@lists.debian.org>',
      description: 'GNU C Library: Binaries',
      homepage: 'https://www.gnu.org/software/libc/libc.html',
    });
  });

  test.for([
    ['install ok installed', 1],
    ['hold ok installed', 1],
    ['install ok unpacked', 1],
    ['install reinstreq half-installed', 1],
    ['deinstall ok config-files', 0],
    ['purge ok not-installed', 0],
  ] as const)('in state "%s" count %i', async ([state, count]) => {
    const { packages } = await findingsOf(
      dpkgCataloger,
      status(`Package: a\nStatus: ${state}\nVersion: 1\nArchitecture: all`),
    );
    expect(packages).toHaveLength(count);
  });

  test('of distroless are in single files, and md5sums beside them are not packages', async () => {
    const { packages, unknowns } = await findingsOf(dpkgCataloger, {
      ...OS,
      'var/lib/dpkg/status.d/base': 'Package: base-files\nVersion: 12.4\nArchitecture: amd64\n',
      'var/lib/dpkg/status.d/base.md5sums': 'd41d8cd98f00b204e9800998ecf8427e  etc/x\n',
      'var/lib/dpkg/status.d/tz': 'Package: tzdata\nVersion: 2024a\nArchitecture: all\n',
    });
    expect(packages.map(({ name }) => name)).toEqual(['base-files', 'tzdata']);
    expect(packages[0]?.evidence[0]?.path).toBe('var/lib/dpkg/status.d/base');
    expect(unknowns).toEqual([]);
  });

  test('without a version are reported, not dropped', async () => {
    const { packages, unknowns } = await findingsOf(
      dpkgCataloger,
      status(installed('good'), 'Package: bad\nStatus: install ok installed\nArchitecture: all'),
    );
    expect(packages.map(({ name }) => name)).toEqual(['good']);
    expect(unknowns).toMatchObject([
      { path: 'var/lib/dpkg/status', reason: 'the entry of package bad has no version' },
    ]);
  });
});

describe('the graph', () => {
  test('follows Depends, Pre-Depends, alternatives and Provides, and leaves out what is not there', async () => {
    const inventory = await findingsOf(
      dpkgCataloger,
      status(
        installed(
          'app',
          'Depends: libfoo (>= 1:2.0), mta | exim4, missing, perl:any\nPre-Depends: dpkg (>= 1.14)\nRecommends: docs',
        ),
        installed('libfoo'),
        installed('postfix', 'Provides: mta (= 3), mail-reader'),
        installed('dpkg'),
        installed('docs'),
        installed('perl'),
      ),
    );
    expect(edgesOf(inventory)).toEqual([
      'app@1.0 → dpkg@1.0',
      'app@1.0 → libfoo@1.0',
      'app@1.0 → perl@1.0',
      'app@1.0 → postfix@1.0',
    ]);
  });

  test('stays within an architecture where it can', async () => {
    const other = installed('lib').replace('amd64', 'i386');
    const inventory = await findingsOf(
      dpkgCataloger,
      status(installed('app', 'Depends: lib'), installed('lib'), other),
    );
    expect(inventory.relations.map(({ to }) => to)).toEqual(['pkg:deb/debian/lib@1.0?arch=amd64&distro=debian-12']);
  });
});

describe('licences', () => {
  const FORMAT = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n';

  test.for([
    [`${FORMAT}\nFiles: *\nLicense: GPL-2+\n long text\n\nFiles: x\nLicense: Expat\n`, ['GPL-2.0-or-later', 'MIT']],
    [`${FORMAT}\nFiles: *\nLicense: LGPL-2.1 or BSD-3-clause\n`, ['LGPL-2.1-only OR BSD-3-Clause']],
    [`${FORMAT}\nFiles: *\nLicense: public-domain\n`, ['public-domain']],
    [
      "On Debian systems see /usr/share/common-licenses/GPL-3.\nAlso `/usr/share/common-licenses/Apache-2.0'.",
      ['Apache-2.0', 'GPL-3'],
    ],
    [
      `${FORMAT}\nFiles: *\nLicense: GPL-2+ with Classpath exception\n`,
      ['GPL-2.0-or-later WITH Classpath-exception-2.0'],
    ],
    [`${FORMAT}\nFiles: *\nLicense: GPL-2+ with own exception\n`, ['GPL-2.0-or-later with own exception']],
    ['All rights reserved.', []],
  ] as const)('of %j', ([text, expected]) => {
    expect(parseDebianCopyright(text).licenses).toEqual(expected);
  });

  test('are found through a symlinked documentation directory', async () => {
    const { packages } = await findingsOf(dpkgCataloger, {
      ...status(installed('libgcc-s1')),
      'usr/share/doc/gcc-base/copyright': `${FORMAT}\nFiles: *\nLicense: GPL-3+\n`,
      'usr/share/doc/libgcc-s1': { symlink: 'gcc-base' },
    });
    expect(packages[0]?.licenses).toEqual(['GPL-3.0-or-later']);
  });
});
