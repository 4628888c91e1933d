import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { shareSession } from '../../src/actions/open-image.ts';
import { verifyImages } from '../../src/actions/verify-images.ts';
import { testContext } from '../support/context.ts';
import { blobOf, imageManifest, openAt, pushImage } from '../support/open-registry.ts';
import { startRegistry, type TestRegistry } from '../support/registry-server.ts';
import { temporaryFolder } from '../support/tools.ts';

const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const POLICY = `apiVersion: boltseal.dev/v1
kind: ImagePolicy
metadata:
  name: all
images: ["**"]
signers:
  release:
    keyless: { issuer: https://issuer.example.org, identity: https://example.org/me }
require:
  - id: signed
    signature: { by: release }
`;

/** Ten images, each with something attached that claims to be a bundle: to be fetched, and then rejected. */
async function pushTen(registry: TestRegistry): Promise<readonly string[]> {
  const target = openAt(registry.host);
  const images: string[] = [];
  for (let at = 0; at < 10; at += 1) {
    const { mediaType, digest, size } = await pushImage(target, `image ${at}`);
    const bundle = blobOf(`{"image":${at}}`);
    await target.writeBlob(bundle.descriptor, () => bundle.bytes);
    const layers = [{ ...bundle.descriptor, mediaType: BUNDLE }];
    const subject = { mediaType, digest, size };
    await target.writeManifest(imageManifest('bundle', { artifactType: BUNDLE, layers, subject }));
    images.push(`${registry.host}/acme/app@${digest}`);
  }
  return images;
}

function policyFile(): string {
  const path = join(temporaryFolder(), 'policy.yaml');
  writeFileSync(path, POLICY);
  return path;
}

/** What is asked, each question once, without the look at what old cosign left, which follows when an image is denied. */
const questions = (registry: TestRegistry): ReadonlySet<string> =>
  new Set(registry.lines().filter((line) => !/\/manifests\/sha256-|artifactType=/.test(line)));

test('ten images of one repository need one token and three requests each', async () => {
  await using registry = await startRegistry({ auth: 'bearer' });
  const images = await pushTen(registry);
  registry.requests.length = 0;
  const verdicts = await verifyImages(images, { policyPaths: [policyFile()], legacy: false }, testContext());
  expect(verdicts.map((verdict) => 'decision' in verdict && verdict.rejections?.length)).toEqual(images.map(() => 1));
  const tokens = registry.requests.filter(({ path }) => path === '/token');
  expect(tokens.map(({ query }) => query.getAll('scope'))).toEqual([['repository:acme/app:pull']]);
  // The list, the manifest and the blob of each.
  expect(questions(registry).size).toBe(3 * images.length);
});

test('a session of the caller is used and left open', async () => {
  await using registry = await startRegistry({ auth: 'bearer' });
  const images = await pushTen(registry);
  await using shared = shareSession({}, testContext());
  registry.requests.length = 0;
  const options = { policyPaths: [policyFile()], registry: shared.registry, legacy: false };
  await verifyImages(images.slice(0, 1), options, testContext());
  await verifyImages(images.slice(1, 2), options, testContext());
  expect(questions(registry).size).toBe(6);
  expect(registry.requests.filter(({ path }) => path === '/token')).toHaveLength(1);
});

test('what one image fails with does not stand for another', async () => {
  await using registry = await startRegistry({ auth: 'bearer' });
  const [first = ''] = await pushTen(registry);
  registry.behaviour.fault = ({ path }) => (path.includes('/acme/closed/') ? { status: 403 } : undefined);
  const closed = first.replace('acme/app', 'acme/closed');
  const verdicts = await verifyImages([closed, first], { policyPaths: [policyFile()] }, testContext());
  expect(verdicts.map((verdict) => ('error' in verdict ? verdict.error.code : verdict.decision.outcome))).toEqual([
    'REGISTRY_DENIED',
    'denied',
  ]);
});

test('credentials given for a run are shown to one registry only', async () => {
  await using first = await startRegistry();
  await using second = await startRegistry();
  const images = [...(await pushTen(first)).slice(0, 1), ...(await pushTen(second)).slice(0, 1)];
  const credential = { kind: 'basic', username: 'me', password: 'secret' } as const;
  const options = { policyPaths: [policyFile()], registry: { credential } };
  expect(await verifyImages(images.slice(0, 1), options, testContext())).toHaveLength(1);
  first.requests.length = 0;
  second.requests.length = 0;
  await expect(verifyImages(images, options, testContext())).rejects.toMatchObject({ code: 'USAGE' });
  expect([...first.requests, ...second.requests]).toEqual([]);
});
