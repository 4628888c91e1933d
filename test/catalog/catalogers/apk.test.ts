import { describe, expect, test } from 'vitest';
import { apkCataloger, parseApkDatabase } from '../../../src/catalog/catalogers/apk.ts';
import { edgesOf, findingsOf } from '../../support/catalog-tester.ts';

const DATABASE = `C:Q11Ing8/u1VIdY9czSxaDO9wJg72I=
P:musl
V:1.1.22-r3
A:x86_64
T:the musl c library (libc) implementation
U:http://www.musl-libc.org/
L:MIT
o:musl
m:Timo Teras <timo.teras@iki.fi>
p:so:libc.musl-x86_64.so.1=1
F:lib
R:ld-musl-x86_64.so.1

P:ssl_client
V:1.30.1-r3
A:x86_64
L:GPL-2.0
o:busybox
D:so:libc.musl-x86_64.so.1 cmd:sh>=1 !conflict absent
F:usr/bin
R:ssl_client

P:busybox
V:1.30.1-r3
A:x86_64
L:GPL-2.0
o:busybox
D:so:libc.musl-x86_64.so.1
p:/bin/sh cmd:busybox=1 cmd:sh=1.30.1-r3
`;
const OS = { 'etc/os-release': 'ID=alpine\nVERSION_ID=3.10.9\n' };

describe('packages', () => {
  test.for(['lib/apk/db/installed', 'usr/lib/apk/db/installed'])('of %s', async (path) => {
    const inventory = await findingsOf(apkCataloger, { ...OS, [path]: DATABASE });
    expect(inventory.packages).toHaveLength(3);
    expect(inventory.packages[1]).toMatchObject({
      name: 'musl',
      version: '1.1.22-r3',
      purl: 'pkg:apk/alpine/musl@1.1.22-r3?arch=x86_64&distro=alpine-3.10.9',
      licenses: ['MIT'],
      supplier: 'Timo Teras <timo.teras@iki.fi>',
      homepage: 'http://www.musl-libc.org/',
      checksums: [{ scheme: 'apk-pull', value: 'Q11Ing8/u1VIdY9czSxaDO9wJg72I=' }],
      evidence: [{ path, layer: { index: 0 } }],
    });
    expect(inventory.packages[2]?.purl).toBe(
      'pkg:apk/alpine/ssl_client@1.30.1-r3?arch=x86_64&distro=alpine-3.10.9&upstream=busybox',
    );
  });

  test('are not there twice when /lib is a link', async () => {
    const { packages } = await findingsOf(apkCataloger, {
      lib: { symlink: 'usr/lib' },
      'usr/lib/apk/db/installed': DATABASE,
    });
    expect(packages.map(({ evidence }) => evidence.map(({ path }) => path))).toEqual(
      Array.from({ length: 3 }, () => ['usr/lib/apk/db/installed']),
    );
  });

  test('without a version are reported, not dropped', async () => {
    const inventory = await findingsOf(apkCataloger, { 'lib/apk/db/installed': `${DATABASE}\nP:nothing\n` });
    expect(inventory.packages).toHaveLength(3);
    expect(inventory.unknowns).toMatchObject([{ path: 'lib/apk/db/installed', cataloger: 'apk' }]);
  });
});

test('the graph follows names and provides, not conflicts', async () => {
  const inventory = await findingsOf(apkCataloger, { ...OS, 'lib/apk/db/installed': DATABASE });
  expect(edgesOf(inventory)).toEqual([
    'busybox@1.30.1-r3 → musl@1.1.22-r3',
    'ssl_client@1.30.1-r3 → busybox@1.30.1-r3',
    'ssl_client@1.30.1-r3 → musl@1.1.22-r3',
  ]);
});

test('the files of a package are kept with their folders', () => {
  expect(parseApkDatabase(DATABASE).packages[1]?.files).toEqual(['usr/bin/ssl_client']);
});
