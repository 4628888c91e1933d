import { expect, test } from 'vitest';
import { attachArtifact } from '../../src/referrers/attach.ts';
import { bundleArtifact } from '../../src/referrers/artifact.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { MEDIA_TYPES } from '../../src/oci/media-types.ts';
import { testContext } from '../support/context.ts';
import { openAt, pushImage } from '../support/open-registry.ts';
import { startRegistry } from '../support/registry-server.ts';

const PREDICATE = 'https://sigstore.dev/cosign/sign/v1';
const BUNDLE = Buffer.from('{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}');
const context = testContext();

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

test('the same artifact for the same image has the same bytes, whatever the order of its annotations', async () => {
  await using registry = await startRegistry();
  const source = openAt(registry.host);
  const image = await pushImage(source);
  const layers = [{ mediaType: 'text/plain', bytes: Buffer.from('hello') }];
  const attach = (annotations: Readonly<Record<string, string>>): Promise<{ digest: string }> =>
    attachArtifact(source, image, { artifactType: 'text/plain', layers, annotations }, context);
  const first = await attach({ a: '1', b: '2' });
  expect((await attach({ b: '2', a: '1' })).digest).toBe(first.digest);
  expect((await attach({ b: '2', a: '2' })).digest).not.toBe(first.digest);
  expect(registry.manifests.get(first.digest)?.bytes.toString()).toContain(
    '"annotations":{"a":"1","b":"2","org.opencontainers.image.created":"2026-11-20T10:00:00Z"}',
  );
});

test('an artifact without content has the empty layer, and attaching it again takes two requests', async () => {
  await using registry = await startRegistry();
  const source = openAt(registry.host);
  const image = await pushImage(source);
  const artifact = { artifactType: 'application/vnd.example', layers: [], annotations: {} };
  const attached = await attachArtifact(source, image, artifact, context);
  const { manifest } = await source.readManifest(attached.digest);
  expect(manifest).toMatchObject({ kind: 'image', layers: [{ mediaType: MEDIA_TYPES.ociEmpty, size: 2 }] });
  const before = registry.lines().length;
  await attachArtifact(source, image, artifact, context);
  expect(registry.lines().length - before).toBe(2);
});
