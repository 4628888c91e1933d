import { expect, test } from 'vitest';
import { discoverTree } from '../../src/actions/discover-tree.ts';
import { treeView } from '../../src/report/tree-view.ts';
import { testContext } from '../support/context.ts';
import { writeLayout } from '../support/image-builder.ts';
import { buildSealedImage } from '../support/sealed-image.ts';
import { temporaryFolder } from '../support/tools.ts';

const context = testContext();
const sealed = buildSealedImage();

test('the tree is shown with platforms, types and tags, and narrowed by type', async () => {
  const path = temporaryFolder();
  writeLayout(path, sealed.listed);
  const image = `oci:${path}:1`;
  const shown = treeView
    .text(await discoverTree(image, {}, context))
    .split('\n')
    .slice(1);
  expect(shown).toEqual([
    `├── application/vnd.cyclonedx+json  ${sealed.sbom.digest}`,
    `│   └── application/vnd.dev.sigstore.bundle.v0.3+json  ${sealed.sbomSignature.digest}`,
    `├── image  linux/amd64  ${sealed.amd64.digest}`,
    `│   ├── cosign tag  application/vnd.oci.image.layer.v1.tar+gzip  ${sealed.cosignTag}  ${sealed.cosign.digest}`,
    `│   └── BuildKit  application/vnd.oci.image.layer.v1.tar+gzip  ${sealed.attestation.digest}`,
    `└── image  linux/arm64  ${sealed.arm64.digest}`,
    `    └── application/sarif+json  ${sealed.report.digest}`,
    '',
  ]);
  const narrowed = await discoverTree(image, { filter: { artifactType: 'application/sarif+json' } }, context);
  expect(JSON.parse(treeView.json(narrowed))).toMatchObject({
    kind: 'DiscoverTreeResult',
    tree: { below: [{ digest: sealed.arm64.digest, below: [{ digest: sealed.report.digest }] }] },
  });
});

test('one platform is the root when it is asked for', async () => {
  const path = temporaryFolder();
  writeLayout(path, sealed.listed);
  const platform = { os: 'linux', architecture: 'arm64' };
  const { tree } = await discoverTree(`oci:${path}:1`, { platform, depth: 1 }, context);
  expect(tree.digest).toBe(sealed.arm64.digest);
  expect(tree.below.map(({ digest }) => digest)).toEqual([sealed.report.digest]);
});
