import { describe, expect, test } from 'vitest';
import type { Inventory } from '../../src/catalog/inventory.ts';
import { takeInventory } from '../../src/catalog/take-inventory.ts';
import { testContext } from '../support/context.ts';
import { diffIdsOf, memoryImage, type TestLayer } from '../support/memory-image.ts';

const OS_RELEASE = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n';
const STATUS = 'var/lib/dpkg/status';

const stanza = (name: string, version = '1.0', more = ''): string =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n${more}\n`;

async function inventoryOf(...layers: readonly TestLayer[]): Promise<Inventory> {
  const { source, image } = memoryImage(layers);
  return takeInventory(source, image, {}, testContext());
}

const names = (inventory: Inventory): readonly string[] =>
  inventory.packages.map(({ name, version }) => `${name}@${version ?? ''}`);
const layersOf = (inventory: Inventory): Readonly<Record<string, number>> =>
  Object.fromEntries(inventory.packages.map(({ name, layer }) => [name, layer.index]));

describe('the layer that brought a package', () => {
  test('is the first that has it, though later ones write the database anew', async () => {
    const inventory = await inventoryOf(
      { 'etc/os-release': OS_RELEASE, [STATUS]: stanza('a') },
      { [STATUS]: stanza('a') + stanza('b') },
      { [STATUS]: stanza('a', '2.0') + stanza('b') },
    );
    expect(layersOf(inventory)).toEqual({ a: 2, b: 1 });
    expect(names(inventory)).toEqual(['a@2.0', 'b@1.0']);
  });

  test('is a later one after the package was gone in between', async () => {
    const inventory = await inventoryOf(
      { [STATUS]: stanza('a') },
      { [STATUS]: stanza('b') },
      { [STATUS]: stanza('a') },
    );
    expect(layersOf(inventory)).toEqual({ a: 2 });
  });

  test.for(['var/lib/dpkg/.wh.status', 'var/.wh.lib', 'var/.wh..wh..opq'])(
    'is a later one after the database was deleted by %s',
    async (whiteout) => {
      const inventory = await inventoryOf({ [STATUS]: stanza('a') }, { [whiteout]: '' }, { [STATUS]: stanza('a') });
      expect(layersOf(inventory)).toEqual({ a: 2 });
    },
  );

  test('is the first one where the deletion and the new database are one layer', async () => {
    const inventory = await inventoryOf(
      { [STATUS]: stanza('a') },
      { 'var/lib/dpkg/.wh..wh..opq': '', [STATUS]: stanza('a') },
    );
    expect(layersOf(inventory)).toEqual({ a: 0 });
  });

  test('carries the layer’s diffID', async () => {
    const made = memoryImage([{ 'a/b': '' }, { [STATUS]: stanza('a') }]);
    const inventory = await takeInventory(made.source, made.image, {}, testContext());
    expect(inventory.packages[0]?.layer).toEqual({ index: 1, diffId: diffIdsOf(made)[1] });
  });
});

describe('names that are links', () => {
  const ELSEWHERE = 'opt/state/db';

  test('a symlinked database is read, with one more look at its layer only', async () => {
    const made = memoryImage([{ [ELSEWHERE]: stanza('hidden') }, { [STATUS]: { symlink: `/${ELSEWHERE}` } }]);
    const inventory = await takeInventory(made.source, made.image, {}, testContext());
    expect(names(inventory)).toEqual(['hidden@1.0']);
    expect(made.reads).toEqual([2, 1]);
  });

  test('a database below a symlinked directory is read', async () => {
    const inventory = await inventoryOf({
      'opt/dpkg/status': stanza('hidden'),
      'var/lib/dpkg': { symlink: '../../opt/dpkg' },
    });
    expect(names(inventory)).toEqual(['hidden@1.0']);
  });

  test('a hardlinked database is read', async () => {
    const inventory = await inventoryOf({ [ELSEWHERE]: stanza('hidden'), [STATUS]: { hardlink: ELSEWHERE } });
    expect(names(inventory)).toEqual(['hidden@1.0']);
  });

  test('a database that is a hardlink to a file of another role is read as a database', async () => {
    const inventory = await inventoryOf({
      'usr/share/doc/x/copyright': stanza('hidden'),
      [STATUS]: { hardlink: 'usr/share/doc/x/copyright' },
    });
    expect(names(inventory)).toEqual(['hidden@1.0']);
  });

  test('no layer is read twice without need', async () => {
    const made = memoryImage([
      {
        'etc/os-release': { symlink: '../usr/lib/os-release' },
        'usr/lib/os-release': OS_RELEASE,
        [STATUS]: stanza('a'),
      },
    ]);
    const inventory = await takeInventory(made.source, made.image, {}, testContext());
    expect(inventory.distro).toMatchObject({ id: 'debian', versionId: '12', path: 'usr/lib/os-release' });
    expect(made.reads).toEqual([1]);
  });
});

describe('what is there no more', () => {
  test('a deleted database has no packages', async () => {
    const inventory = await inventoryOf({ [STATUS]: stanza('a') }, { 'var/lib/dpkg/.wh.status': '' });
    expect(inventory.packages).toEqual([]);
  });
});

describe('what cannot be read', () => {
  test('a broken package.json is an unknown with its layer', async () => {
    const made = memoryImage([{}, { 'app/node_modules/broken/package.json': '{"name": "broken",' }]);
    const { unknowns, packages } = await takeInventory(made.source, made.image, {}, testContext());
    expect(packages).toEqual([]);
    expect(unknowns).toEqual([
      {
        path: 'app/node_modules/broken/package.json',
        layer: { index: 1, diffId: diffIdsOf(made)[1] },
        cataloger: 'npm',
        reason: expect.stringContaining('not valid JSON') as string,
      },
    ]);
  });

  test('a broken file that a later layer deletes is of no concern', async () => {
    const inventory = await inventoryOf(
      { 'app/node_modules/broken/package.json': '{' },
      { 'app/node_modules/.wh.broken': '' },
    );
    expect(inventory.unknowns).toEqual([]);
  });

  test('a name no document format can hold is an unknown', async () => {
    const { unknowns, packages } = await inventoryOf({ [STATUS]: stanza('a', '1'.repeat(2000)) });
    expect(packages).toEqual([]);
    expect(unknowns[0]).toMatchObject({ path: STATUS, cataloger: 'dpkg' });
  });

  test('a layer that fails stops the inventory with the layer’s own error', async () => {
    const made = memoryImage([{ [STATUS]: stanza('a') }]);
    const [layer] = made.image.layers;
    const wrong = { ...made.image, layers: layer === undefined ? [] : [{ ...layer, diffId: made.image.digest }] };
    await expect(takeInventory(made.source, wrong, {}, testContext())).rejects.toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
  });
});

test('the same image gives the same inventory', async () => {
  const layers = [{ 'etc/os-release': OS_RELEASE, [STATUS]: stanza('b') + stanza('a', '1.0', 'Depends: b\n') }];
  expect(JSON.stringify(await inventoryOf(...layers))).toBe(JSON.stringify(await inventoryOf(...layers)));
});

test('a language package that the system’s package manager installed is kept and names its owner', async () => {
  const metadata = 'Metadata-Version: 2.1\nName: Six\nVersion: 1.16.0\n';
  const installed = 'usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO';
  const inventory = await inventoryOf({
    'etc/os-release': OS_RELEASE,
    lib: { symlink: 'usr/lib' },
    [STATUS]: stanza('python3-six', '1.16.0-4'),
    'var/lib/dpkg/info/python3-six.list': `/.\n/lib\n/${installed.replace('usr/', '')}\n`,
    [installed]: metadata,
    'opt/venv/lib/python3.11/site-packages/idna-3.4.dist-info/METADATA': 'Name: idna\nVersion: 3.4\n',
  });
  const owner = 'pkg:deb/debian/python3-six@1.16.0-4?arch=amd64&distro=debian-12';
  expect(inventory.packages.map(({ purl, ownedBy }) => [purl, ownedBy])).toEqual([
    [owner, undefined],
    ['pkg:pypi/idna@3.4', undefined],
    ['pkg:pypi/six@1.16.0', owner],
  ]);
});
