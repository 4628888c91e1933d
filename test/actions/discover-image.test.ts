import { expect, test } from 'vitest';
import { discoverImage } from '../../src/actions/discover-image.ts';
import { discoverView } from '../../src/report/discover-view.ts';
import { testContext } from '../support/context.ts';
import { writeLayout } from '../support/image-builder.ts';
import type { BuiltImage } from '../support/image-builder.ts';
import { buildSealedImage } from '../support/sealed-image.ts';
import { temporaryFolder } from '../support/tools.ts';

const context = testContext();
const sealed = buildSealedImage();
const sized = ({ descriptor }: BuiltImage): string => `${descriptor.size} bytes  ${descriptor.digest}`;

test('the tree is shown with platforms, types and tags, and narrowed by type', async () => {
  const path = temporaryFolder();
  writeLayout(path, sealed.listed);
  const image = `oci:${path}:1`;
  const shown = discoverView
    .text(await discoverImage(image, {}, context))
    .split('\n')
    .slice(1);
  expect(shown).toEqual([
    `├── application/vnd.cyclonedx+json  ${sized(sealed.sbom)}`,
    `│   └── application/vnd.dev.sigstore.bundle.v0.3+json  ${sized(sealed.sbomSignature)}`,
    `├── image  linux/amd64  ${sized(sealed.amd64)}`,
    `│   ├── cosign tag  application/vnd.oci.image.layer.v1.tar+gzip  ${sealed.cosignTag}  ${sized(sealed.cosign)}`,
    `│   └── BuildKit  application/vnd.oci.image.layer.v1.tar+gzip  ${sized(sealed.attestation)}`,
    `└── image  linux/arm64  ${sized(sealed.arm64)}`,
    `    └── application/sarif+json  ${sized(sealed.report)}`,
    '',
  ]);
  const narrowed = await discoverImage(image, { filter: { artifactType: 'application/sarif+json' } }, context);
  expect(JSON.parse(discoverView.json(narrowed))).toMatchObject({
    kind: 'DiscoverResult',
    tree: { below: [{ digest: sealed.arm64.digest, below: [{ digest: sealed.report.digest }] }] },
  });
});

test('one platform is the root when it is asked for', async () => {
  const path = temporaryFolder();
  writeLayout(path, sealed.listed);
  const platform = { os: 'linux', architecture: 'arm64' };
  const { tree } = await discoverImage(`oci:${path}:1`, { platform, depth: 1 }, context);
  expect(tree.digest).toBe(sealed.arm64.digest);
  expect(tree.below.map(({ digest }) => digest)).toEqual([sealed.report.digest]);
});
