import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { boltseal } from '../support/cli.ts';
import { writeLayout } from '../support/image-builder.ts';
import { buildSealedImage, type SealedImage } from '../support/sealed-image.ts';
import { missingTools, mustRun, temporaryFolder } from '../support/tools.ts';
import { startDockerRegistry, startOlareg } from './registries.ts';

const sealed = buildSealedImage('interop');

async function run(...argv: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await boltseal(argv);
  expect(exitCode, stderr).toBe(0);
  return stdout;
}

function layout(image: SealedImage): string {
  const folder = temporaryFolder();
  writeLayout(folder, image.listed);
  return folder;
}

/** The digests below an image, as oras shows them. */
function orasTree(reference: string, ...flags: readonly string[]): readonly string[] {
  return mustRun('oras', ['discover', ...flags, reference]).match(/(?<=── |── .*)sha256:[0-9a-f]{64}/g) ?? [];
}

const KINDS = [
  ['docker-registry', 'without the referrers API', (): Promise<string> => startDockerRegistry(temporaryFolder())],
  ['olareg', 'with the referrers API', startOlareg],
] as const;

describe.each(KINDS)('%s, %s', (server, _, start) => {
  test('what boltseal copied is what oras, regctl and crane see', async (context) => {
    if (missingTools(`copies read by others from ${server}`, server, 'oras', 'regctl', 'crane')) context.skip();
    const host = await start();
    const config = temporaryFolder();
    await run('copy', `oci:${layout(sealed)}:1`, `${host}/acme/app:1`);
    await run('copy', `${host}/acme/app:1`, `${host}/other/app:2`);
    for (const name of [`${host}/acme/app:1`, `${host}/other/app:2`]) {
      expect(orasTree(name, '--plain-http')).toEqual([sealed.sbom.digest, sealed.sbomSignature.digest]);
      expect(mustRun('crane', ['--insecure', 'digest', name]).trim()).toBe(sealed.index.digest);
      const env = { REGCTL_CONFIG: join(config, 'config.json') };
      mustRun('regctl', ['registry', 'set', host, '--tls', 'disabled'], { env });
      const tree = mustRun('regctl', ['artifact', 'tree', '--digest-tags', name], { env });
      for (const { digest } of sealed.all) expect(tree).toContain(digest);
      mustRun('crane', ['--insecure', 'validate', '--remote', `${name.replace(/:\d$/, '')}@${sealed.amd64.digest}`]);
    }
  });

  test('a copy of a copy that oras made is whole, and the other way round', async (context) => {
    if (missingTools(`copies by oras through ${server}`, server, 'oras')) context.skip();
    const host = await start();
    await run('copy', `oci:${layout(sealed)}:1`, `${host}/acme/app:1`);
    const [theirs, ours] = [temporaryFolder(), temporaryFolder()];
    mustRun('oras', ['cp', '-r', '--from-plain-http', `${host}/acme/app:1`, '--to-oci-layout', `${theirs}:kept`]);
    await run('copy', `oci:${theirs}:kept`, `oci:${ours}/new:kept`);
    expect(orasTree(`${ours}/new:kept`, '--oci-layout')).toEqual([sealed.sbom.digest, sealed.sbomSignature.digest]);
    await run('copy', `oci:${ours}/new:kept`, `${host}/back/app:1`);
    expect(orasTree(`${host}/back/app:1`, '--plain-http')).toEqual([sealed.sbom.digest, sealed.sbomSignature.digest]);
  });

  test('files and folders that oras attached are pulled, and detached', async (context) => {
    if (missingTools(`artifacts of oras at ${server}`, server, 'oras')) context.skip();
    const host = await start();
    const image = `${host}/acme/app:1`;
    await run('copy', `oci:${layout(sealed)}:1`, image);
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, 'docs/sub'), { recursive: true });
    writeFileSync(join(cwd, 'docs/sub/note.txt'), 'note');
    writeFileSync(join(cwd, 'file.txt'), 'file');
    const type = 'application/vnd.example.docs';
    mustRun('oras', ['attach', '--plain-http', '--artifact-type', type, image, 'docs', 'file.txt:text/plain'], { cwd });
    const out = temporaryFolder();
    const pulled = JSON.parse(await run('pull', image, '--artifact-type', type, '-o', out, '--format', 'json')) as {
      digest: string;
    };
    expect(readFileSync(join(out, 'docs/sub/note.txt'), 'utf8')).toBe('note');
    expect(readFileSync(join(out, 'file.txt'), 'utf8')).toBe('file');
    await run('detach', image, pulled.digest);
    expect(orasTree(image, '--plain-http')).toEqual([sealed.sbom.digest, sealed.sbomSignature.digest]);
  });
});

test('a docker-registry and a olareg hold the same after a copy between them', async (context) => {
  if (missingTools('copies between registries', 'docker-registry', 'olareg')) context.skip();
  const [a, b] = [await startDockerRegistry(temporaryFolder()), await startOlareg()];
  await run('copy', `oci:${layout(sealed)}:1`, `${a}/acme/app:1`);
  await run('copy', `${a}/acme/app:1`, `${b}/acme/app:1`);
  await run('copy', `${b}/acme/app:1`, `${a}/third/app:1`);
  const again = JSON.parse(await run('copy', `${a}/third/app:1`, `${b}/acme/app:1`, '--format', 'json')) as {
    manifests: { outcome: string }[];
  };
  expect(again.manifests.map(({ outcome }) => outcome)).toEqual(sealed.all.map(() => 'present'));
});

test('an archive that skopeo made is copied to a registry', async (context) => {
  if (missingTools('archives of skopeo', 'skopeo', 'docker-registry')) context.skip();
  const host = await startDockerRegistry(temporaryFolder());
  const folder = temporaryFolder();
  const from = `oci:${layout(sealed)}:1`;
  const platform = ['--override-arch', 'arm64', '--override-os', 'linux', '--insecure-policy'];
  mustRun('skopeo', [...platform, 'copy', from, `oci-archive:${join(folder, 'oci.tar')}:1`]);
  mustRun('skopeo', [...platform, 'copy', from, `docker-archive:${join(folder, 'docker.tar')}:app:1`]);
  await run('copy', `oci-archive:${join(folder, 'oci.tar')}:1`, `${host}/from/oci:1`);
  await run('copy', `docker-archive:${join(folder, 'docker.tar')}`, `${host}/from/docker:1`);
  for (const name of ['oci', 'docker']) {
    const read = ['--src-tls-verify=false', `docker://${host}/from/${name}:1`, `dir:${join(folder, name)}`];
    mustRun('skopeo', [...platform, 'copy', ...read]);
    expect(existsSync(join(folder, name, 'manifest.json'))).toBe(true);
  }
});
