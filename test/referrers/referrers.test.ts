import { describe, expect, test } from 'vitest';
import { attachArtifact } from '../../src/referrers/attach.ts';
import { bundleArtifact } from '../../src/referrers/artifact.ts';
import { listBundles } from '../../src/referrers/bundles.ts';
import { discoverReferrers } from '../../src/referrers/discover.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { MEDIA_TYPES } from '../../src/oci/media-types.ts';
import { testContext } from '../support/context.ts';
import { blobOf, codeOf, imageManifest, openAt, pushImage, SOME_DIGEST } from '../support/open-registry.ts';
import { fallbackEntries, putFallback, startRegistry, type RegistryBehaviour } from '../support/registry-server.ts';

const PREDICATE = 'https://sigstore.dev/cosign/sign/v1';
const BUNDLE = Buffer.from('{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}');
const context = testContext();

const KINDS: readonly (readonly [string, Partial<RegistryBehaviour>])[] = [
  ['with the referrers API', {}],
  ['without the referrers API', { referrers: 'none', ociSubject: false }],
  ['with the API but without OCI-Subject', { ociSubject: false }],
  ['that says 200 to every referrers request', { referrers: 'always-empty', ociSubject: false }],
];

describe.each(KINDS)('a registry %s', (_, behaviour) => {
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

test('a bundle artifact has the bytes that cosign writes', async () => {
  await using registry = await startRegistry();
  const source = openAt(registry.host);
  const image = await pushImage(source);
  const attached = await attachArtifact(
    source,
    image,
    bundleArtifact(BUNDLE, PREDICATE, new Date('2026-01-02T03:04:05.678Z')),
    context,
  );
  expect(registry.manifests.get(attached.digest)?.bytes.toString()).toBe(
    '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",' +
      '"config":{"mediaType":"application/vnd.oci.empty.v1+json","size":2,"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json"},' +
      `"layers":[{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","size":${BUNDLE.length},"digest":"${digestOf(BUNDLE)}"}],` +
      '"annotations":{"dev.sigstore.bundle.content":"dsse-envelope","dev.sigstore.bundle.predicateType":"https://sigstore.dev/cosign/sign/v1","org.opencontainers.image.created":"2026-01-02T03:04:05Z"},' +
      `"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":${image.size},"digest":"${image.digest}"},` +
      '"artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json"}',
  );
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
  const tree = await discoverReferrers(source, image.digest);
  expect(tree.referrers).toMatchObject([{ digest: stolen.digest, rejected: expect.stringContaining(other.digest) }]);
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

test('a writer keeps the fields of entries it does not know and adds no entry twice', async () => {
  await using registry = await startRegistry({ referrers: 'none', ociSubject: false, checksIndexes: true });
  const source = openAt(registry.host);
  const image = await pushImage(source);
  const old = { ...(await pushImage(source, 'old')), 'x-unknown': { kept: [1] }, annotations: { a: 'b' } };
  putFallback(registry, image.digest, [old]);
  const artifact = bundleArtifact(BUNDLE, PREDICATE, context.now());
  const attached = await attachArtifact(source, image, artifact, context);
  await attachArtifact(source, image, artifact, context);
  expect(fallbackEntries(registry, image.digest)).toEqual([
    old,
    { ...attached, artifactType: artifact.artifactType, annotations: artifact.annotations },
  ]);
});

test('takes entries off the list whose manifests are gone, and says so', async () => {
  await using registry = await startRegistry({ referrers: 'none', ociSubject: false, checksIndexes: true });
  const recording = testContext();
  const source = openAt(registry.host, { context: recording });
  const image = await pushImage(source);
  const kept = await pushImage(source, 'kept');
  putFallback(registry, image.digest, [{ ...kept, digest: SOME_DIGEST }, kept]);
  const attached = await attachArtifact(source, image, bundleArtifact(BUNDLE, PREDICATE, context.now()), recording);
  expect(fallbackEntries(registry, image.digest).map(({ digest }) => digest)).toEqual([kept.digest, attached.digest]);
  expect(recording.events).toContainEqual({ kind: 'warning', message: expect.stringContaining(SOME_DIGEST) });
});

test('never writes over a fallback tag that is read as the image itself', async () => {
  await using registry = await startRegistry({ referrers: 'none', ociSubject: false, dashTagIsDigest: true });
  const source = openAt(registry.host);
  const image = await pushImage(source);
  const attaching = attachArtifact(source, image, bundleArtifact(BUNDLE, PREDICATE, context.now()), context);
  expect(await codeOf(attaching)).toBe('REFERRERS_UPDATE_FAILED');
  expect(registry.lines().filter((line) => line.startsWith('PUT') && line.includes('sha256-'))).toEqual([]);
  expect(await source.listReferrers(image.digest)).toEqual([]);
});
