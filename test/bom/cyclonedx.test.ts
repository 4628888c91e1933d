import { Validation, Spec } from '@cyclonedx/cyclonedx-library';
import { describe, expect, test } from 'vitest';
import type { Inventory } from '../../src/catalog/inventory.ts';
import type { LayerRef, Package } from '../../src/catalog/package.ts';
import { takeInventory } from '../../src/catalog/take-inventory.ts';
import { renderCycloneDx } from '../../src/bom/cyclonedx/render.ts';
import { readBom } from '../../src/bom/read.ts';
import type { ImageSubject } from '../../src/bom/subject.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { testContext } from '../support/context.ts';
import { memoryImage } from '../support/memory-image.ts';

const OPTIONS = { tool: { name: 'boltseal', version: '1.2.3' } };
const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);

const made = memoryImage([
  {
    'etc/os-release':
      'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\nHOME_URL="https://www.debian.org/"\nCPE_NAME="cpe:/o:debian:debian_linux:12"\n',
    'var/lib/dpkg/status':
      'Package: libc6\nStatus: install ok installed\nMaintainer: GNU Libc <glibc@lists.debian.org>\nArchitecture: amd64\nSource: glibc\nVersion: 2.36-9+deb12u4\nDescription: GNU C Library\nHomepage: https://www.gnu.org/software/libc/\n\nPackage: bash\nStatus: install ok installed\nArchitecture: amd64\nDepends: libc6 (>= 2.36)\nVersion: 5.2.15-2+b2\n\n',
    'usr/share/doc/libc6/copyright':
      'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: LGPL-2.1+ or MIT\n\nFiles: x\nLicense: public-domain\n',
  },
  {
    'app/node_modules/a/package.json':
      '{"name":"a","version":"1.0.0","license":"(MIT OR Apache-2.0)","author":"J\u{e9} <j@example.com>","homepage":"not a url","dependencies":{"b":"1"}}',
    'app/node_modules/b/package.json': '{"name":"b","version":"1.0.0","license":"MIT","dependencies":{"a":"1"}}',
    'app/node_modules/broken/package.json': '{',
  },
]);

const subject: ImageSubject = { ...made.image, reference: parseReference('ghcr.io/acme/web/App:1.0'.toLowerCase()) };

interface Json {
  readonly [key: string]: unknown;
}
const rendered = async (context = testContext()): Promise<Uint8Array> => {
  const inventory = await takeInventory(made.source, made.image, {}, testContext());
  return renderCycloneDx(inventory, subject, OPTIONS, context);
};
const parse = (bytes: Uint8Array): Json => JSON.parse(new TextDecoder().decode(bytes)) as Json;

describe('a CycloneDX document', () => {
  test('is valid under the strict schema of 1.6', async () => {
    expect(await validator.validate(new TextDecoder().decode(await rendered()))).toBeNull();
  });

  test('names the image with its digests, and how it was made', async () => {
    const { metadata, serialNumber, specVersion } = parse(await rendered()) as {
      readonly [key: string]: unknown;
      readonly metadata: { readonly [key: string]: unknown; readonly component: Json };
    };
    expect(specVersion).toBe('1.6');
    expect(serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(metadata['timestamp']).toBe('2025-06-07T08:09:10.000Z');
    expect(metadata['lifecycles']).toEqual([{ phase: 'post-build' }]);
    expect(metadata.component).toMatchObject({
      type: 'container',
      name: 'app',
      version: '1.0',
      purl: `pkg:oci/app@${made.image.digest}?arch=amd64&repository_url=ghcr.io%2Facme%2Fweb%2Fapp&tag=1.0`,
      hashes: [{ alg: 'SHA-256', content: made.image.digest.slice(7) }],
    });
    expect(metadata.component['properties']).toContainEqual({
      name: 'boltseal:image:label:org.opencontainers.image.title',
      value: 'test',
    });
    expect(metadata.component['properties']).toContainEqual({
      name: 'boltseal:image:layerDiffID',
      value: `1 ${made.image.config.diffIds[1] ?? ''}`,
    });
  });

  test('holds everything of a package', async () => {
    const { components } = parse(await rendered()) as { readonly components: readonly Json[] };
    expect(components.map(({ name }) => name)).toEqual(['debian', 'bash', 'libc6', 'a', 'b']);
    expect(components[0]).toMatchObject({
      type: 'operating-system',
      version: '12',
      cpe: 'cpe:/o:debian:debian_linux:12',
    });
    const purl = 'pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12&upstream=glibc';
    expect(components[2]).toMatchObject({
      'bom-ref': purl,
      purl,
      publisher: 'GNU Libc <glibc@lists.debian.org>',
      supplier: { name: 'GNU Libc', contact: [{ name: 'GNU Libc', email: 'glibc@lists.debian.org' }] },
      licenses: [
        { license: { name: 'LGPL-2.1-or-later OR MIT', acknowledgement: 'declared' } },
        { license: { name: 'public-domain', acknowledgement: 'declared' } },
      ],
      externalReferences: [{ type: 'website', url: 'https://www.gnu.org/software/libc/' }],
      evidence: {
        identity: [{ field: 'purl', confidence: 1, methods: [{ technique: 'manifest-analysis' }] }],
        occurrences: [{ location: '/var/lib/dpkg/status', additionalContext: made.image.config.diffIds[0] }],
      },
    });
    expect(components[3]).toMatchObject({
      licenses: [{ expression: '(MIT OR Apache-2.0)', acknowledgement: 'declared' }],
    });
    expect(components[3]).not.toHaveProperty('externalReferences');
    expect(components[4]).toMatchObject({ licenses: [{ license: { id: 'MIT' } }] });
  });

  test('has every component in one graph that starts at the image', async () => {
    const { dependencies } = parse(await rendered()) as {
      readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
    };
    const bash = 'pkg:deb/debian/bash@5.2.15-2%2Bb2?arch=amd64&distro=debian-12';
    const libc = 'pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12&upstream=glibc';
    expect(Object.fromEntries(dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]))).toEqual({
      image: ['operating-system', 'pkg:npm/a@1.0.0'],
      'operating-system': [bash, libc],
      [bash]: [libc],
      [libc]: undefined,
      'pkg:npm/a@1.0.0': ['pkg:npm/b@1.0.0'],
      'pkg:npm/b@1.0.0': ['pkg:npm/a@1.0.0'],
    });
  });

  test('says what could not be read', async () => {
    const bytes = await rendered();
    const { metadata } = parse(bytes) as {
      readonly metadata: { readonly properties: readonly { name: string; value: string }[] };
    };
    const [unknown, ...more] = metadata.properties.filter(({ name }) => name === 'boltseal:unknown');
    expect(more).toEqual([]);
    expect(JSON.parse(unknown?.value ?? '')).toMatchObject({
      path: '/app/node_modules/broken/package.json',
      layer: made.image.config.diffIds[1],
      cataloger: 'npm',
    });
    expect(readBom(bytes).unknownCount).toBe(1);
  });
});

describe('the same bytes', () => {
  test('come of the same image, whatever the clock and the time zone', async () => {
    const first = await rendered();
    const zone = process.env['TZ'];
    process.env['TZ'] = 'Pacific/Kiritimati';
    try {
      expect(Buffer.from(await rendered(testContext({ now: () => new Date('2040-01-01') }))).equals(first)).toBe(true);
    } finally {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    }
  });

  test('do not depend on the order in which packages were found', async () => {
    const inventory = await takeInventory(made.source, made.image, {}, testContext());
    const names = inventory.packages.map(({ purl }) => purl);
    expect(names).toEqual(names.toSorted());
  });

  test('change with SOURCE_DATE_EPOCH, and a malformed one is refused', async () => {
    const { metadata } = parse(await rendered(testContext({ env: { SOURCE_DATE_EPOCH: '1700000000' } }))) as {
      readonly metadata: Json;
    };
    expect(metadata['timestamp']).toBe('2023-11-14T22:13:20.000Z');
    await expect(rendered(testContext({ env: { SOURCE_DATE_EPOCH: 'yesterday' } }))).rejects.toMatchObject({
      code: 'USAGE',
    });
  });
});

const LAYER: LayerRef = { index: 0, diffId: made.image.config.diffIds[0] ?? made.image.digest };
const packageOf = (more: Partial<Package>): Package => ({
  type: 'npm',
  kind: 'language',
  name: 'x',
  version: '1',
  purl: 'pkg:npm/x@1',
  licenses: [],
  evidence: [{ path: 'x', layer: LAYER }],
  technique: 'manifest-analysis',
  layer: LAYER,
  cataloger: 'npm',
  ...more,
});
const inventoryOf = (packages: readonly Package[]): Inventory => ({
  layers: [LAYER],
  packages,
  relations: [],
  unknowns: [],
  completeTypes: ['npm'],
  catalogers: [{ name: 'npm', version: 1 }],
});

describe('what an image’s maker may put into it', () => {
  test.for([
    { supplier: '<<>>' },
    { supplier: 'Name <not a mail address>' },
    { homepage: 'http://[broken' },
    { homepage: 'javascript:alert(1)' },
    { homepage: 'https://user:secret@example.com/ x"y' },
    { licenses: ['GPL', 'MIT AND', '', ' ', 'NONE', 'LicenseRef-x', 'SEE LICENSE IN LICENSE', 'x'.repeat(5000)] },
    { licenses: ['MIT OR ISC', 'Apache-2.0'] },
    { licenses: ['GPL-2.0-only WITH Classpath-exception-2.0'] },
    { description: '\u{0}\u{d800}' },
    { distribution: { url: 'nonsense', hashes: [] } },
    { version: '' },
  ])('leaves the document valid: %o', async (more) => {
    const bytes = renderCycloneDx(inventoryOf([packageOf(more)]), subject, OPTIONS, testContext());
    const text = new TextDecoder().decode(bytes);
    expect(await validator.validate(text)).toBeNull();
    expect(text).not.toContain('secret');
    expect(readBom(bytes).components).toHaveLength(1);
  });
});

test('5,000 packages make a valid document', async () => {
  const packages = Array.from({ length: 5000 }, (_, at) =>
    packageOf({ name: `p${at}`, purl: `pkg:npm/p${at}@1`, licenses: ['MIT'], supplier: 'A <a@example.com>' }),
  );
  const relations = packages
    .slice(1)
    .map(({ purl }) => ({ kind: 'dependsOn' as const, from: 'pkg:npm/p0@1', to: purl }));
  const bytes = renderCycloneDx({ ...inventoryOf(packages), relations }, subject, OPTIONS, testContext());
  expect(readBom(bytes).components).toHaveLength(5000);
  expect(bytes.length).toBeLessThan(16 * 1024 * 1024);
});
