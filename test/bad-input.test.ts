import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSandbox, type Sandbox } from '../src/sandbox/sandbox.ts';
import { boltseal } from './support/cli.ts';
import { testContext } from './support/context.ts';
import { buildImage, buildLayer, writeLayout, type BuiltImage, type BuiltLayer } from './support/image-builder.ts';
import { pushLayout } from './support/push.ts';

let sandbox: Sandbox;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'boltseal-bad-input-'));
  sandbox = await startSandbox({}, testContext({ now: () => new Date() }));
});

afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function layout(name: string, image: BuiltImage): string {
  const path = join(folder, name);
  writeLayout(path, [{ image, tag: 'v1' }]);
  return path;
}

const goodLayer = (): BuiltLayer =>
  buildLayer([
    { path: 'etc/os-release', body: 'ID=debian\n' },
    { path: 'big', body: 'x'.repeat(5000) },
  ]);

const blobFile = (path: string, { descriptor }: BuiltLayer): string =>
  join(path, 'blobs', ...descriptor.digest.split(':'));

interface Damage {
  readonly name: string;
  readonly code: string;
  readonly make: () => string;
}

const DAMAGES: readonly Damage[] = [
  {
    name: 'a layer with a changed byte',
    code: 'DIGEST_MISMATCH',
    make: () => {
      const layer = goodLayer();
      const path = layout('changed', buildImage({ layers: [layer] }));
      const bytes = readFileSync(blobFile(path, layer));
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 20) ^ 1, bytes.length - 20);
      writeFileSync(blobFile(path, layer), bytes);
      return path;
    },
  },
  {
    name: 'a layer that is cut short',
    code: 'SIZE_MISMATCH',
    make: () => {
      const layer = goodLayer();
      const path = layout('short', buildImage({ layers: [layer] }));
      truncateSync(blobFile(path, layer), layer.descriptor.size - 10);
      return path;
    },
  },
  {
    name: 'a layer that is no tar archive',
    code: 'LAYER_INVALID',
    make: () =>
      layout('text', buildImage({ layers: [buildLayer(Buffer.from('this is not a tar archive '.repeat(100)))] })),
  },
  {
    name: 'a manifest of another type',
    code: 'MEDIA_TYPE_UNSUPPORTED',
    make: () =>
      layout(
        'type',
        buildImage({ layers: [goodLayer()], manifest: { mediaType: 'application/vnd.example.other+json' } }),
      ),
  },
];

describe('the SBOM of an image', () => {
  test('that is whole is written', async () => {
    expect(await boltseal(['sbom', `oci:${layout('whole', buildImage({ layers: [goodLayer()] }))}`])).toMatchObject({
      exitCode: 0,
    });
  });

  test.each(DAMAGES)(
    'with $name ends in $code, one error with a next step, and no document',
    async ({ code, make }) => {
      const output = join(folder, `${code}.json`);
      const { exitCode, stdout, stderr } = await boltseal(['sbom', `oci:${make()}`, '-o', `cyclonedx-json=${output}`]);
      expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
      expect(stderr.match(/^error \w+/gm)).toEqual([`error ${code}`]);
      expect(stderr).toMatch(/\n {2}→ \S.*\.\n$/);
      expect(() => readFileSync(output)).toThrow(/ENOENT/);
    },
  );
});

test('an image that cannot be read is not sealed, not even in part', async () => {
  const path = layout('unsealable', buildImage({ layers: [buildLayer(Buffer.from('not a tar '.repeat(100)))] }));
  const image = await pushLayout(path, `${sandbox.registry}/app/unsealable:v1`);
  const sealed = await boltseal(['seal', image], { env: sandbox.environment });
  expect(sealed).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('LAYER_INVALID') as string });
  const { stdout } = await boltseal(['discover', image, '--format', 'json']);
  expect(JSON.parse(stdout)).toMatchObject({ tree: { below: [] } });
});

test('Ctrl-C ends with a code of its own, and leaves no file', async () => {
  const interrupt = new AbortController();
  const output = join(folder, 'interrupted.json');
  const path = layout('interrupted', buildImage({ layers: [goodLayer()] }));
  const ran = boltseal(['sbom', `oci:${path}`, '-o', `cyclonedx-json=${output}`], { signal: interrupt.signal });
  interrupt.abort();
  const { exitCode, stdout, stderr } = await ran;
  expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
  expect(stderr).toContain('INTERRUPTED');
  expect(() => readFileSync(output)).toThrow(/ENOENT/);
});
