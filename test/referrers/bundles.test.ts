import { describe, expect, test } from 'vitest';
import { attachArtifact } from '../../src/referrers/attach.ts';
import { bundleArtifact } from '../../src/referrers/artifact.ts';
import { listBundles } from '../../src/referrers/bundles.ts';
import { MEDIA_TYPES } from '../../src/oci/media-types.ts';
import { testContext } from '../support/context.ts';
import { blobOf, codeOf, imageManifest, openAt, pushImage, SOME_DIGEST } from '../support/open-registry.ts';
import { REGISTRY_KINDS } from '../support/registry-kinds.ts';
import { putFallback, startRegistry } from '../support/registry-server.ts';

const PREDICATE = 'https://sigstore.dev/cosign/sign/v1';
const BUNDLE = Buffer.from('{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}');
const context = testContext();

describe.concurrent.each(REGISTRY_KINDS)('a registry %s', (_kind, behaviour) => {
  test('an attached bundle is found again, byte for byte', async () => {
    await using registry = await startRegistry(behaviour);
    const source = openAt(registry.host);
    const image = await pushImage(source);
    const attached = await attachArtifact(source, image, bundleArtifact(BUNDLE, PREDICATE, context.now()), context);
    const found = await Array.fromAsync(listBundles(source, image.digest));
    expect(found).toMatchObject([{ kind: 'bundle', manifestDigest: attached.digest, predicateType: PREDICATE }]);
    expect(found.map((one) => one.kind === 'bundle' && Buffer.from(one.bytes).equals(BUNDLE))).toEqual([true]);
  });

  test('an image nobody signed has no bundles', async () => {
    await using registry = await startRegistry(behaviour);
    const source = openAt(registry.host);
    const image = await pushImage(source);
    expect(await Array.fromAsync(listBundles(source, image.digest))).toEqual([]);
  });

  test('eight writers at once lose no entry', async () => {
    await using registry = await startRegistry(behaviour);
    const source = openAt(registry.host);
    const image = await pushImage(source);
    await Promise.all(
      Array.from({ length: 8 }, (_, at) => {
        const target = openAt(registry.host);
        return attachArtifact(
          target,
          image,
          bundleArtifact(Buffer.from(`{"n":${at}}`), PREDICATE, context.now()),
          context,
        );
      }),
    );
    expect(await Array.fromAsync(listBundles(source, image.digest))).toHaveLength(8);
  });
});

test('verifying one signed image by digest on a warm token takes three requests', async () => {
  await using registry = await startRegistry({ auth: 'bearer' });
  const source = openAt(registry.host);
  const image = await pushImage(source);
  await attachArtifact(source, image, bundleArtifact(BUNDLE, PREDICATE, context.now()), context);
  const before = registry.lines().length;
  await Array.fromAsync(listBundles(source, image.digest));
  expect(
    registry
      .lines()
      .slice(before)
      .map((line) => line.replace(/[0-9a-f]{64}/, '…')),
  ).toEqual([
    'GET /v2/acme/app/referrers/sha256:…',
    'GET /v2/acme/app/manifests/sha256:…',
    'GET /v2/acme/app/blobs/sha256:…',
  ]);
});

test('a bundle that the manifest carries as data takes two requests, and its digest is checked', async () => {
  await using registry = await startRegistry();
  const source = openAt(registry.host);
  const image = await pushImage(source);
  const layer = { ...blobOf(BUNDLE).descriptor, mediaType: MEDIA_TYPES.sigstoreBundle };
  const carrying = (name: string, data: Buffer): Uint8Array =>
    imageManifest(name, {
      artifactType: MEDIA_TYPES.sigstoreBundle,
      subject: image,
      layers: [{ ...layer, data: data.toString('base64') }],
    });
  await source.writeManifest(carrying('good', BUNDLE));
  const before = registry.lines().length;
  expect(await Array.fromAsync(listBundles(source, image.digest))).toMatchObject([{ kind: 'bundle' }]);
  expect(registry.lines().length - before).toBe(2);
  await source.writeManifest(carrying('bad', Buffer.from(BUNDLE.toString().replace('0.3', '0.4'))));
  const found = await Array.fromAsync(listBundles(source, image.digest));
  expect(found.map((one) => (one.kind === 'bundle' ? 'bundle' : one.error.code)).toSorted()).toEqual([
    'DIGEST_MISMATCH',
    'bundle',
  ]);
});

test('an entry that refers to another image is reported, not used and not dropped', async () => {
  await using registry = await startRegistry({ referrers: 'none', ociSubject: false });
  const source = openAt(registry.host);
  const image = await pushImage(source);
  const other = await pushImage(source, 'other');
  const stolen = await attachArtifact(source, other, bundleArtifact(BUNDLE, PREDICATE, context.now()), context);
  putFallback(registry, image.digest, [{ ...stolen, artifactType: MEDIA_TYPES.sigstoreBundle }]);
  expect(await Array.fromAsync(listBundles(source, image.digest))).toMatchObject([
    { kind: 'unreadable', manifestDigest: stolen.digest, error: { code: 'MANIFEST_INVALID' } },
  ]);
});

test.each([undefined, '', MEDIA_TYPES.ociEmpty])('opens an entry whose listed type is %s', async (artifactType) => {
  await using registry = await startRegistry({ referrers: 'none', ociSubject: false });
  const source = openAt(registry.host);
  const image = await pushImage(source);
  const attached = await attachArtifact(source, image, bundleArtifact(BUNDLE, PREDICATE, context.now()), context);
  putFallback(registry, image.digest, [{ ...attached, artifactType }]);
  expect(await Array.fromAsync(listBundles(source, image.digest))).toMatchObject([{ kind: 'bundle' }]);
});

test('a listed bundle that is gone is reported; one that cannot be fetched ends the search', async () => {
  await using registry = await startRegistry({ referrers: 'none', ociSubject: false });
  const source = openAt(registry.host);
  const image = await pushImage(source);
  const entry = {
    mediaType: MEDIA_TYPES.ociManifest,
    size: 1,
    digest: SOME_DIGEST,
    artifactType: MEDIA_TYPES.sigstoreBundle,
  };
  putFallback(registry, image.digest, [entry]);
  expect(await Array.fromAsync(listBundles(source, image.digest))).toMatchObject([
    { kind: 'unreadable', error: { code: 'NOT_FOUND' } },
  ]);
  registry.behaviour.fault = ({ path }) => (path.endsWith(SOME_DIGEST) ? { status: 403 } : undefined);
  expect(await codeOf(Array.fromAsync(listBundles(source, image.digest)))).toBe('REGISTRY_DENIED');
});
