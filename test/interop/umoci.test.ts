import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { flatten } from '../../src/image/flatten.ts';
import type { LayerListing } from '../../src/image/file-tree.ts';
import { loadImage } from '../../src/image/load.ts';
import { walkLayer } from '../../src/image/walk-layer.ts';
import { openLayout } from '../../src/source/layout.ts';
import { testContext } from '../support/context.ts';
import { buildImage, buildLayer, writeLayout, type TestCompression } from '../support/image-builder.ts';
import type { TarItem } from '../support/tar-writer.ts';

const hasUmoci = spawnSync('umoci', ['--version']).status === 0;

const file = (path: string, body = path): TarItem => ({ path, body });
const dir = (path: string): TarItem => ({ path, type: 'directory' });
const link = (path: string, linkTarget: string): TarItem => ({ path, type: 'symlink', linkTarget });
const hard = (path: string, linkTarget: string): TarItem => ({ path, type: 'hardlink', linkTarget });

const LAYERS: readonly (readonly TarItem[])[] = [
  [
    dir('usr/'),
    dir('usr/lib/'),
    file('usr/lib/a'),
    file('usr/lib/b'),
    link('lib', 'usr/lib'),
    dir('etc/'),
    file('etc/one'),
    file('etc/two'),
    dir('etc/sub/'),
    file('etc/sub/x'),
    dir('var/'),
    dir('var/cache/'),
    file('var/cache/old'),
    dir('var/cache/deep/'),
    file('var/cache/deep/old'),
    file('was-file'),
    dir('was-folder/'),
    file('was-folder/x'),
    dir('target/'),
    file('target/t'),
    link('was-link', 'target'),
    file('original', 'shared'),
    hard('same', 'original'),
  ],
  [
    file('lib/through', 'through a symlink'),
    file('etc/.wh.one', ''),
    dir('etc/'),
    file('etc/three'),
    dir('var/'),
    dir('var/cache/'),
    file('var/cache/.wh..wh..opq', ''),
    file('var/cache/new'),
    dir('was-file/'),
    file('was-file/now'),
    file('was-folder', 'now a file'),
    dir('was-link/'),
    file('was-link/own'),
    hard('late', 'original'),
    link('abs', '/etc/three'),
  ],
  [
    file('.wh.same', ''),
    file('original', 'changed'),
    file('etc/sub/.wh.x', ''),
    file('etc/.wh.sub', ''),
    dir('back/'),
    file('back/x'),
    file('usr/lib/.wh.b', ''),
  ],
];

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'boltseal-umoci-'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

/** What is on the disk: type, and content or target, of every name. Symlinked folders are not gone into. */
function onDisk(base: string, folder = ''): readonly string[] {
  return readdirSync(join(base, folder), { withFileTypes: true }).flatMap((found) => {
    const path = join(folder, found.name);
    if (found.isSymbolicLink()) return [`${path} -> ${readlinkSync(join(base, path))}`];
    return found.isDirectory()
      ? [`${path}/`, ...onDisk(base, path)]
      : [`${path} ${readFileSync(join(base, path), 'utf8')}`];
  });
}

describe.skipIf(!hasUmoci)('what umoci unpacks (needs umoci)', () => {
  test.each<TestCompression>(['gzip', 'none'])(
    'is what flattening shows, layers compressed with %s',
    async (compression) => {
      const layout = join(root, `layout-${compression}`);
      const layers = LAYERS.map((entries) => buildLayer(entries, { compression }));
      const image = buildImage({ layers });
      writeLayout(layout, [{ image, tag: 'v1' }]);
      const context = testContext();
      const source = await openLayout({ kind: 'layout', path: layout }, context);
      const loaded = await loadImage(source, image.digest, {}, context);
      const bodies = new Map<string, string>();
      const listings: LayerListing[] = [];
      for (const layer of loaded.layers) {
        const visit = ({ path }: { readonly path: string }) => {
          const chunks: Buffer[] = [];
          return {
            write: (chunk: Uint8Array) => chunks.push(Buffer.from(chunk)) > 0,
            end: () => void bodies.set(`${layer.index} ${path}`, Buffer.concat(chunks).toString()),
          };
        };
        listings.push(await walkLayer(source, layer, visit, context));
      }
      const shown = [...flatten(listings).entries()].map(({ path, type, linkTarget, content }) => {
        if (type === 'symlink') return `${path} -> ${linkTarget}`;
        return type === 'directory' ? `${path}/` : `${path} ${bodies.get(`${content?.layerIndex} ${content?.path}`)}`;
      });
      const bundle = join(root, `bundle-${compression}`);
      execFileSync('umoci', ['unpack', '--rootless', '--image', `${layout}:v1`, bundle], { stdio: 'pipe' });
      expect(shown.toSorted()).toEqual(onDisk(join(bundle, 'rootfs')).toSorted());
    },
  );
});
