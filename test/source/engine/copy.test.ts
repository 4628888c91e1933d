import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startRegistry } from '../../../src/sandbox/registry/registry.ts';
import { boltseal } from '../../support/cli.ts';
import { testContext } from '../../support/context.ts';
import { startEngine } from '../../support/engine-server.ts';
import { buildImage, buildLayer, buildOciArchive } from '../../support/image-builder.ts';

test('an image is copied from an engine to a registry in two passes, whatever the order of its layers', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'boltseal-engine-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const layers = ['a', 'b', 'c', 'd'].map((name) =>
    buildLayer([{ path: name, body: name.repeat(2 * 1024 * 1024) }], { compression: 'none' }),
  );
  const image = buildImage({ layers });
  // What is saved is in the order of names, and the layers are in another.
  const stored = { ...image, blobs: image.blobs.toReversed() };
  await using engine = await startEngine({ images: { app: buildOciArchive([{ image: stored, tag: '1' }]) } });
  await using registry = await startRegistry({ directory, port: 0 }, testContext());
  const target = `${registry.host}/acme/app:1`;
  const ran = await boltseal(['copy', 'docker:app', target], { env: { DOCKER_HOST: engine.address } });
  expect(ran).toMatchObject({ exitCode: 0 });
  expect(engine.requests.filter((path) => path.endsWith('/get'))).toHaveLength(2);
  const answer = await fetch(`http://${registry.host}/v2/acme/app/manifests/1`);
  expect(answer.headers.get('docker-content-digest')).toBe(image.digest);
});
