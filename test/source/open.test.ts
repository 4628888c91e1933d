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
import { openSource } from '../../src/source/open.ts';
import { isWritable, type WritableSource } from '../../src/source/source.ts';
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
    }
  });

  test('a folder has no manifest to open', async () => {
    expect(await codeOf(openSource(parseReference('dir:x'), {}, context))).toBe('USAGE');
  });
});

async function openWritable(text: string): Promise<WritableSource> {
  const source = await openSource(parseReference(text), {}, context);
  if (isWritable(source)) return source;
  throw new Error(`nothing can be attached to ${text}`);
}

test('a bundle in a layout is found as it is in a registry', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'boltseal-'));
  await createLayout(folder, context);
  await using source = await openWritable(`oci:${folder}:1`);
  const image = await pushImage(source);
  const artifact = bundleArtifact(Buffer.from('{}'), 'https://example.org/type', context.now());
  const attached = await attachArtifact(source, image, artifact, context);
  expect(await Array.fromAsync(listBundles(source, image.digest))).toMatchObject([
    { kind: 'bundle', manifestDigest: attached.digest, predicateType: 'https://example.org/type' },
  ]);
  expect((await discoverReferrers(source, image.digest)).referrers).toMatchObject([{ digest: attached.digest }]);
});
