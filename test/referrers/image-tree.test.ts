import { describe, expect, test } from 'vitest';
import { filterTree } from '../../src/referrers/filter-tree.ts';
import { readImageTree, type ImageTreeNode } from '../../src/referrers/image-tree.ts';
import { openLayout } from '../../src/source/layout.ts';
import { testContext } from '../support/context.ts';
import { problem } from '../support/http-server.ts';
import { writeLayout } from '../support/image-builder.ts';
import { codeOf, openAt } from '../support/open-registry.ts';
import { startRegistry } from '../support/registry-server.ts';
import { copyImage } from '../../src/referrers/copy.ts';
import { buildSealedImage, type SealedImage } from '../support/sealed-image.ts';
import { temporaryFolder } from '../support/tools.ts';
import type { WritableSource } from '../../src/source/source.ts';

const context = testContext();
const sealed = buildSealedImage();

function layoutOf(image: SealedImage): Promise<WritableSource> {
  const path = temporaryFolder();
  writeLayout(path, image.listed);
  return openLayout({ kind: 'layout', path, tag: '1' }, context);
}

/** `relation digest` of every node, indented by its level. */
function outline(node: ImageTreeNode, level = 0): readonly string[] {
  return [
    `${'  '.repeat(level)}${node.relation} ${nameOf(node)}`,
    ...node.below.flatMap((one) => outline(one, level + 1)),
  ];
}

function nameOf({ digest }: ImageTreeNode): string {
  return Object.entries(sealed).find(([, value]) => (value as { digest?: string }).digest === digest)?.[0] ?? digest;
}

const WHOLE = [
  'image index',
  '  referrer sbom',
  '    referrer sbomSignature',
  '  image amd64',
  '    cosign cosign',
  '    attestation attestation',
  '  image arm64',
  '    referrer report',
];

describe('the tree of an image', () => {
  test('shows children, referrers at every level, BuildKit attestations and cosign tags', async () => {
    const tree = await readImageTree(await layoutOf(sealed), sealed.index.digest);
    expect(outline(tree)).toEqual(WHOLE);
    expect(tree.below[1]?.below[0]).toMatchObject({ tag: sealed.cosignTag });
  });

  test('is the same from a registry without the referrers API', async () => {
    await using registry = await startRegistry({ referrers: 'none', ociSubject: false });
    const destination = openAt(registry.host, { suffix: ':1' });
    await copyImage({ source: await layoutOf(sealed), destination }, {}, context);
    expect(outline(await readImageTree(destination, sealed.index.digest))).toEqual(WHOLE);
  });

  test('ends at the depth asked for, and says so', async () => {
    const tree = await readImageTree(await layoutOf(sealed), sealed.index.digest, { depth: 1 });
    expect(outline(tree)).toEqual(['image index', '  referrer sbom', '  image amd64', '  image arm64']);
    expect(tree.below.map(({ unexplored }) => unexplored)).toEqual(
      tree.below.map(() => 'the tree is shown to this depth'),
    );
  });

  test('a platform that is gone is marked, and the rest is shown', async () => {
    await using registry = await startRegistry();
    const destination = openAt(registry.host, { suffix: ':1' });
    await copyImage({ source: await layoutOf(sealed), destination }, {}, context);
    registry.manifests.delete(sealed.arm64.digest);
    const tree = await readImageTree(destination, sealed.index.digest);
    expect(tree.below.find(({ digest }) => digest === sealed.arm64.digest)?.rejected).toContain('there is no manifest');
    expect(outline(tree)).toContain('    cosign cosign');
  });

  test('a list that cannot be had is an error, not an empty tree', async () => {
    await using registry = await startRegistry();
    const destination = openAt(registry.host, { suffix: ':1' });
    await copyImage({ source: await layoutOf(sealed), destination }, {}, context);
    registry.behaviour.fault = ({ path }) =>
      path.endsWith(`/referrers/${sealed.arm64.digest}`) ? problem(403, 'DENIED') : undefined;
    expect(await codeOf(readImageTree(destination, sealed.index.digest))).toBe('REGISTRY_DENIED');
  });
});

describe('a filter', () => {
  test('by type keeps what matches at any level and the way there', async () => {
    const tree = await readImageTree(await layoutOf(sealed), sealed.index.digest);
    const found = filterTree(tree, { artifactType: 'application/sarif+json' });
    expect(outline(found)).toEqual(['image index', '  image arm64', '    referrer report']);
    const below = filterTree(tree, { artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json' });
    expect(outline(below)).toEqual(['image index', '  referrer sbom', '    referrer sbomSignature']);
  });

  test('by annotation finds the one that has it with that value', async () => {
    const tree = await readImageTree(await layoutOf(sealed), sealed.index.digest);
    expect(outline(filterTree(tree, { annotations: { old: 'way' } }))).toEqual([
      'image index',
      '  image amd64',
      '    cosign cosign',
    ]);
    expect(outline(filterTree(tree, { annotations: { old: 'other' } }))).toEqual(['image index']);
  });

  test('that asks for nothing changes nothing', async () => {
    const tree = await readImageTree(await layoutOf(sealed), sealed.index.digest);
    expect(filterTree(tree, {})).toBe(tree);
  });
});
