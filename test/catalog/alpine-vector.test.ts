import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takeInventory } from '../../src/catalog/take-inventory.ts';
import { loadImage } from '../../src/image/load.ts';
import { openArchive } from '../../src/source/archive.ts';
import { edgesOf } from '../support/catalog-tester.ts';
import { testContext } from '../support/context.ts';
import { VECTORS } from '../support/vectors.ts';

const missing = VECTORS === undefined ? ' (skipped: the test vectors are missing, set BOLTSEAL_VECTORS)' : '';

test.skipIf(VECTORS === undefined)(
  `a saved Alpine 3.10 image has its 14 packages, each with layer and evidence${missing}`,
  async () => {
    const context = testContext();
    const path = join(VECTORS ?? '', 'images/alpine-3.10.docker.tar.gz');
    await using source = await openArchive({ kind: 'archive', format: 'docker', path }, context);
    const image = await loadImage(source, await source.resolve(), {}, context);
    const inventory = await takeInventory(source, image, {}, context);
    expect(inventory.packages.map(({ name, version }) => `${name} ${version ?? ''}`)).toEqual([
      'alpine-baselayout 3.1.2-r0',
      'alpine-keys 2.1-r2',
      'apk-tools 2.10.4-r2',
      'busybox 1.30.1-r3',
      'ca-certificates-cacert 20190108-r0',
      'libc-utils 0.7.1-r0',
      'libcrypto1.1 1.1.1d-r2',
      'libssl1.1 1.1.1d-r2',
      'libtls-standalone 2.9.1-r0',
      'musl-utils 1.1.22-r3',
      'musl 1.1.22-r3',
      'scanelf 1.2.3-r0',
      'ssl_client 1.30.1-r3',
      'zlib 1.2.11-r1',
    ]);
    for (const found of inventory.packages) {
      expect(found.layer).toEqual({ index: 0, diffId: image.config.diffIds[0] });
      expect(found.evidence).toEqual([{ path: 'lib/apk/db/installed', layer: found.layer }]);
    }
    expect(inventory.distro).toMatchObject({ id: 'alpine', path: 'etc/os-release' });
    expect(inventory.unknowns).toEqual([]);
    expect(edgesOf(inventory)).toContain('libssl1.1@1.1.1d-r2 → libcrypto1.1@1.1.1d-r2');
  },
);
