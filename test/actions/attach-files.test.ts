import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { attachFiles, type AttachedFiles } from '../../src/actions/attach-files.ts';
import { bundleArtifact } from '../../src/referrers/artifact.ts';
import { attachArtifact } from '../../src/referrers/attach.ts';
import { listBundles } from '../../src/referrers/bundles.ts';
import { openLayout } from '../../src/source/layout.ts';
import { boltseal } from '../support/cli.ts';
import { testContext } from '../support/context.ts';
import { buildImage, buildLayer, writeLayout } from '../support/image-builder.ts';
import { codeOf, openAt, pushImage } from '../support/open-registry.ts';
import { allowDeletes } from '../support/registry-delete.ts';
import { startRegistry } from '../support/registry-server.ts';
import { buildSealedImage } from '../support/sealed-image.ts';
import { temporaryFolder } from '../support/tools.ts';

const context = testContext();
const TYPE = 'application/vnd.example.docs';

function docs(): string {
  const folder = join(temporaryFolder(), 'docs');
  mkdirSync(join(folder, 'sub'), { recursive: true });
  writeFileSync(join(folder, 'run.sh'), '#!/bin/sh\n');
  chmodSync(join(folder, 'run.sh'), 0o755);
  writeFileSync(join(folder, 'sub', 'note.txt'), 'note');
  return folder;
}

async function attach(host: string, paths: readonly string[]): Promise<AttachedFiles> {
  const files = paths.map((path) => ({ path, mediaType: 'text/plain' }));
  return attachFiles(`${host}/acme/app:1`, { files, artifactType: TYPE }, context);
}

describe('files and folders', () => {
  test('come back as they were', async () => {
    await using registry = await startRegistry();
    await pushImage(openAt(registry.host));
    const file = join(temporaryFolder(), 'readme.txt');
    writeFileSync(file, 'read me');
    const attached = await attach(registry.host, [docs(), file]);
    expect(attached.files.map(({ title }) => title)).toEqual(['docs', 'readme.txt']);
    const out = temporaryFolder();
    const ran = await boltseal(['pull', `${registry.host}/acme/app:1`, '--artifact-type', TYPE, '-o', out]);
    expect(ran.exitCode, ran.stderr).toBe(0);
    expect(readdirSync(out, { recursive: true }).toSorted()).toEqual(
      ['docs', 'docs/run.sh', 'docs/sub', 'docs/sub/note.txt', 'readme.txt'].toSorted(),
    );
    expect(readFileSync(join(out, 'docs/sub/note.txt'), 'utf8')).toBe('note');
    expect(statSync(join(out, 'docs/run.sh')).mode & 0o777).toBe(0o755);
  });

  test('give the same bytes each time', async () => {
    await using registry = await startRegistry();
    await pushImage(openAt(registry.host));
    const [first, second] = [await attach(registry.host, [docs()]), await attach(registry.host, [docs()])];
    expect(first.manifest).toBe(second.manifest);
  });

  test('two of one name, and a folder with a link in it, are refused before anything is sent', async () => {
    await using registry = await startRegistry();
    expect(await codeOf(attach(registry.host, [docs(), docs()]))).toBe('PATH_UNSAFE');
    const linked = docs();
    symlinkSync('/etc', join(linked, 'etc'));
    expect(await codeOf(attach(registry.host, [linked]))).toBe('USAGE');
    expect(registry.requests).toEqual([]);
  });
});

describe('the command line', () => {
  test('copies an image into a new layout, from which its bundle is read offline', async () => {
    const layout = join(temporaryFolder(), 'kept');
    const bundle = Buffer.from('{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}');
    let digest;
    {
      await using registry = await startRegistry();
      const source = openAt(registry.host);
      const image = await pushImage(source);
      digest = image.digest;
      await attachArtifact(source, image, bundleArtifact(bundle, 'https://example.com/p', context.now()), context);
      const plan = await boltseal(['copy', '--dry-run', `${registry.host}/acme/app:1`, `oci:${layout}:1`]);
      expect(plan).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('nothing was written') as string });
      expect(readdirSync(join(layout, '..'))).toEqual([]);
      const ran = await boltseal(['copy', `${registry.host}/acme/app:1`, `oci:${layout}:1`, '--format', 'json']);
      expect(ran.exitCode, ran.stderr).toBe(0);
      expect(JSON.parse(ran.stdout)).toMatchObject({ schemaVersion: 1, kind: 'CopyResult', images: [{ tags: ['1'] }] });
    }
    const source = await openLayout({ kind: 'layout', path: layout, tag: '1' }, context);
    const [found] = await Array.fromAsync(listBundles(source, digest));
    expect(found?.kind === 'bundle' && Buffer.from(found.bytes).equals(bundle)).toBe(true);
  });

  test('copies one platform, or tags by name', async () => {
    const sealed = buildSealedImage();
    const path = temporaryFolder();
    const other = buildImage({ layers: [buildLayer([{ path: 'a', body: 'a' }])] });
    writeLayout(path, [...sealed.listed, { image: other, tag: '2' }]);
    await using registry = await startRegistry();
    const platform = ['--platform', 'linux/arm64'];
    const one = await boltseal(['copy', ...platform, `oci:${path}:1`, `${registry.host}/acme/app:arm`]);
    expect(one.exitCode, one.stderr).toBe(0);
    expect(registry.tags.get('arm')).toBe(sealed.arm64.digest);
    const two = await boltseal(['copy', '--tags', '1,2', `oci:${path}:1`, `${registry.host}/acme/app`]);
    expect(two.exitCode, two.stderr).toBe(0);
    expect([registry.tags.get('1'), registry.tags.get('2')]).toEqual([sealed.index.digest, other.digest]);
    const wrong = await boltseal(['copy', '--tags', 'a b', `oci:${path}:1`, `${registry.host}/acme/app`]);
    expect(wrong.exitCode).toBe(2);
  });

  test('credentials for one registry are not shown to another', async () => {
    await using a = await startRegistry({ auth: 'basic', account: { username: 'u', password: 'p' } });
    await using b = await startRegistry();
    const source = openAt(a.host, { options: { credential: { kind: 'basic', username: 'u', password: 'p' } } });
    await pushImage(source);
    a.requests.length = 0;
    const argv = ['copy', `${a.host}/acme/app:1`, `${b.host}/acme/app:1`, '-u', 'u', '--password-stdin'];
    expect((await boltseal(argv, { stdin: 'p' })).exitCode).toBe(3);
    expect(a.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  test('detaches what was attached', async () => {
    await using registry = await startRegistry();
    await pushImage(openAt(registry.host));
    const attached = await attach(registry.host, [docs()]);
    const argv = ['detach', `${registry.host}/acme/app:1`, attached.manifest];
    allowDeletes(registry, 'off');
    const refused = await boltseal(argv);
    expect(refused).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('was not removed') as string });
    registry.behaviour.fault = () => undefined;
    allowDeletes(registry, 'any');
    expect((await boltseal(argv)).exitCode).toBe(0);
    expect(registry.manifests.has(attached.manifest)).toBe(false);
  });
});
