import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLayout } from '../../src/source/layout.ts';
import { testContext } from '../support/context.ts';
import { buildImage, buildLayer, buildReferrer, writeLayout } from '../support/image-builder.ts';
import { missingTools, mustRun } from '../support/tools.ts';

const image = buildImage({ layers: [buildLayer([{ path: 'a' }])] });
const sbom = buildReferrer(image, 'application/vnd.cyclonedx+json', '{}');

let root = '';
let layout = '';
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'boltseal-referrers-'));
  layout = join(root, 'layout');
  writeLayout(layout, [{ image, tag: 'v1' }]);
  const source = await openLayout({ kind: 'layout', path: layout }, testContext());
  for (const blob of sbom.blobs) await source.writeBlob(blob.descriptor, () => blob.bytes);
  await source.writeManifest(sbom.bytes);
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

async function referrers(): Promise<readonly string[]> {
  const source = await openLayout({ kind: 'layout', path: layout }, testContext());
  return (await source.listReferrers(image.digest)).map(({ artifactType }) => artifactType ?? '').toSorted();
}

describe.skipIf(missingTools('referrers in a layout', 'oras'))('oras (needs oras)', () => {
  test('finds what is attached in a layout', () => {
    const out = mustRun('oras', ['discover', '--oci-layout', '--format', 'json', `${layout}:v1`]);
    expect(out).toContain(sbom.digest);
  });

  test('attaches what is found here', async () => {
    writeFileSync(join(root, 'note.txt'), 'by oras');
    mustRun('oras', ['attach', '--oci-layout', '--artifact-type', 'application/by-oras', `${layout}:v1`, 'note.txt'], {
      cwd: root,
    });
    expect(await referrers()).toContain('application/by-oras');
    expect(await referrers()).toContain('application/vnd.cyclonedx+json');
  });
});

describe.skipIf(missingTools('referrers in a layout', 'regctl'))('regctl (needs regctl)', () => {
  test('finds what is attached in a layout', () => {
    const out = mustRun('regctl', ['artifact', 'list', `ocidir://${layout}:v1`, '--format', '{{jsonPretty .}}']);
    expect(out).toContain(sbom.digest);
  });

  test('attaches what is found here', async () => {
    mustRun(
      'regctl',
      ['artifact', 'put', '--artifact-type', 'application/by-regctl', '--subject', `ocidir://${layout}:v1`],
      { input: 'by regctl' },
    );
    expect(await referrers()).toContain('application/by-regctl');
    expect(await referrers()).toContain('application/vnd.cyclonedx+json');
  });
});
