import { expect, test } from 'vitest';
import { attachArtifact } from '../../../src/referrers/attach.ts';
import { bundleArtifact } from '../../../src/referrers/artifact.ts';
import { testContext } from '../../support/context.ts';
import { codeOf, openAt, pushImage, SOME_DIGEST } from '../../support/open-registry.ts';
import { fallbackEntries, putFallback, startRegistry } from '../../support/registry-server.ts';

const PREDICATE = 'https://sigstore.dev/cosign/sign/v1';
const BUNDLE = Buffer.from('{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}');
const context = testContext();

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

test('an index that the registry gives for its own fallback tag is not taken for a list of referrers', async () => {
  await using registry = await startRegistry({ referrers: 'none', ociSubject: false, dashTagIsDigest: true });
  const source = openAt(registry.host);
  const platform = await pushImage(source);
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const index = await source.writeManifest(
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: [platform] })),
  );
  expect(await source.listReferrers(index.digest)).toEqual([]);
  const attaching = attachArtifact(source, index, bundleArtifact(BUNDLE, PREDICATE, context.now()), context);
  expect(await codeOf(attaching)).toBe('REFERRERS_UPDATE_FAILED');
});

test.each([1, 2])('an entry that is seen %i times and then lost to another writer is added again', async (seen) => {
  await using registry = await startRegistry({ referrers: 'none', ociSubject: false });
  const source = openAt(registry.host);
  const image = await pushImage(source);
  const other = await pushImage(source, 'other');
  let reads = 0;
  registry.behaviour.fault = ({ method, path }) => {
    const written = fallbackEntries(registry, image.digest).length > 0;
    if (method === 'GET' && path.includes('/sha256-') && written && (reads += 1) === seen + 1)
      putFallback(registry, image.digest, [other]);
    return undefined;
  };
  const attached = await attachArtifact(source, image, bundleArtifact(BUNDLE, PREDICATE, context.now()), context);
  expect(fallbackEntries(registry, image.digest).map(({ digest }) => digest)).toEqual([other.digest, attached.digest]);
});
