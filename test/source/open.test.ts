import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseReference } from '../../src/oci/reference.ts';
import { attachArtifact } from '../../src/referrers/attach.ts';
import { bundleArtifact } from '../../src/referrers/artifact.ts';
import { listBundles } from '../../src/referrers/bundles.ts';
import { discoverReferrers } from '../../src/referrers/discover.ts';
import { createLayout } from '../../src/source/layout-writer.ts';
import { openSource, openWritable } from '../../src/source/open.ts';
import { isWritable } from '../../src/source/source.ts';
import { testContext } from '../support/context.ts';
import { codeOf, pushImage } from '../support/open-registry.ts';
import { startRegistry } from '../support/registry-server.ts';

const context = testContext();

describe('what a reference names', () => {
  test('is opened by its kind, and says whether something can be attached to it', async () => {
    await using registry = await startRegistry();
    const folder = await mkdtemp(join(tmpdir(), 'boltseal-'));
    await createLayout(folder, context);
    for (const text of [`${registry.host}/a/b:1`, `oci:${folder}:1`]) {
      await using source = await openSource(parseReference(text), {}, context);
      expect(isWritable(source)).toBe(true);
      expect(isWritable(await openWritable(parseReference(text), {}, context))).toBe(true);
    }
  });

  test.each(['oci-archive:x.tar', 'docker-archive:x.tar', 'docker:x', 'dir:x'])(
    '%s holds no referrers',
    async (text) => {
      expect(await codeOf(openWritable(parseReference(text), {}, context))).toBe('NOT_WRITABLE');
    },
  );
});

test('a bundle in a layout is found as it is in a registry', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'boltseal-'));
  await createLayout(folder, context);
  await using source = await openWritable(parseReference(`oci:${folder}:1`), {}, context);
  const image = await pushImage(source);
  const artifact = bundleArtifact(Buffer.from('{}'), 'https://example.org/type', context.now());
  const attached = await attachArtifact(source, image, artifact, context);
  expect(await Array.fromAsync(listBundles(source, image.digest))).toMatchObject([
    { kind: 'bundle', manifestDigest: attached.digest, predicateType: 'https://example.org/type' },
  ]);
  expect((await discoverReferrers(source, image.digest)).referrers).toMatchObject([{ digest: attached.digest }]);
});
