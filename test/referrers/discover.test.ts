import { describe, expect, test } from 'vitest';
import { attachArtifact } from '../../src/referrers/attach.ts';
import { bundleArtifact } from '../../src/referrers/artifact.ts';
import { discoverReferrers } from '../../src/referrers/discover.ts';
import { MEDIA_TYPES } from '../../src/oci/media-types.ts';
import { testContext } from '../support/context.ts';
import { codeOf, openAt, pushImage } from '../support/open-registry.ts';
import { REGISTRY_KINDS } from '../support/registry-kinds.ts';
import { putFallback, startRegistry } from '../support/registry-server.ts';

const PREDICATE = 'https://sigstore.dev/cosign/sign/v1';
const BUNDLE = Buffer.from('{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}');
const context = testContext();

describe.concurrent.each(REGISTRY_KINDS)('a registry %s', (_, behaviour) => {
  test('a tree shows what refers to the image and what refers to that', async () => {
    await using registry = await startRegistry(behaviour);
    const source = openAt(registry.host);
    const image = await pushImage(source);
    const sbom = await attachArtifact(
      source,
      image,
      {
        artifactType: 'application/spdx+json',
        layers: [{ mediaType: 'application/spdx+json', bytes: Buffer.from('{}') }],
        annotations: {},
      },
      context,
    );
    const signature = await attachArtifact(source, sbom, bundleArtifact(BUNDLE, PREDICATE, context.now()), context);
    const tree = await discoverReferrers(source, image.digest);
    expect(tree).toMatchObject({
      digest: image.digest,
      referrers: [
        {
          digest: sbom.digest,
          descriptor: { artifactType: 'application/spdx+json', size: sbom.size },
          referrers: [
            {
              digest: signature.digest,
              descriptor: { annotations: { 'dev.sigstore.bundle.predicateType': PREDICATE } },
              referrers: [],
            },
          ],
        },
      ],
    });
  });
});

test('an entry that refers to another image is shown as rejected, not left out', async () => {
  await using registry = await startRegistry({ referrers: 'none', ociSubject: false });
  const source = openAt(registry.host);
  const image = await pushImage(source);
  const other = await pushImage(source, 'other');
  const stolen = await attachArtifact(source, other, bundleArtifact(BUNDLE, PREDICATE, context.now()), context);
  putFallback(registry, image.digest, [{ ...stolen, artifactType: MEDIA_TYPES.sigstoreBundle }]);
  const tree = await discoverReferrers(source, image.digest);
  expect(tree.referrers).toMatchObject([{ digest: stolen.digest, rejected: expect.stringContaining(other.digest) }]);
});

test('goes no deeper than asked, and says so', async () => {
  await using registry = await startRegistry();
  const source = openAt(registry.host);
  const image = await pushImage(source);
  let subject = image;
  for (let at = 0; at < 3; at += 1)
    subject = await attachArtifact(source, subject, bundleArtifact(BUNDLE, PREDICATE, context.now()), context);
  const tree = await discoverReferrers(source, image.digest, { depth: 2 });
  const [first] = tree.referrers;
  const [second] = first?.referrers ?? [];
  expect(first?.unexplored).toBeUndefined();
  expect(second).toMatchObject({ unexplored: expect.any(String), referrers: [] });
});

test('a list that names the image as its own referrer ends', async () => {
  await using registry = await startRegistry({ referrers: 'none', ociSubject: false });
  const source = openAt(registry.host);
  const image = await pushImage(source);
  putFallback(registry, image.digest, [image]);
  const tree = await discoverReferrers(source, image.digest);
  expect(tree.referrers).toMatchObject([{ digest: image.digest, rejected: expect.stringContaining('nothing') }]);
});

test('a filter narrows the first level by what the manifests say, not by what the list claims', async () => {
  await using registry = await startRegistry({ referrers: 'none', ociSubject: false });
  const source = openAt(registry.host);
  const image = await pushImage(source);
  const attached = await attachArtifact(source, image, bundleArtifact(BUNDLE, PREDICATE, context.now()), context);
  putFallback(registry, image.digest, [{ ...attached, artifactType: MEDIA_TYPES.ociEmpty }]);
  const find = async (artifactType: string): Promise<number> =>
    (await discoverReferrers(source, image.digest, { artifactType })).referrers.length;
  expect(await find(MEDIA_TYPES.sigstoreBundle)).toBe(1);
  expect(await find('application/other')).toBe(0);
});

test('an entry that cannot be fetched for want of rights ends the search', async () => {
  await using registry = await startRegistry();
  const source = openAt(registry.host);
  const image = await pushImage(source);
  const attached = await attachArtifact(source, image, bundleArtifact(BUNDLE, PREDICATE, context.now()), context);
  registry.behaviour.fault = ({ path }) => (path.endsWith(attached.digest) ? { status: 403 } : undefined);
  expect(await codeOf(discoverReferrers(source, image.digest))).toBe('REGISTRY_DENIED');
});
