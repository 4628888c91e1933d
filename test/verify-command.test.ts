import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../src/oci/digest.ts';
import { MEDIA_TYPES } from '../src/oci/media-types.ts';
import { startSandbox, type Sandbox } from '../src/sandbox/sandbox.ts';
import { boltseal, type Ran } from './support/cli.ts';
import { testContext } from './support/context.ts';
import { problem, json, send, startServer } from './support/http-server.ts';
import { artifact, registryClient } from './support/registry-client.ts';

let sandbox: Sandbox;
let folder: string;
let images = 0;
let requests: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'boltseal-verify-'));
  const context = testContext({
    now: () => new Date(),
    emit: (event) => {
      if (event.kind === 'detail' && event.message.startsWith('sandbox registry:')) requests.push(event.message);
    },
  });
  sandbox = await startSandbox({}, context);
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const run = (...argv: readonly string[]): Promise<Ran> => boltseal(argv, { env: sandbox.environment });

interface Pushed {
  readonly name: string;
  readonly digest: string;
  readonly client: ReturnType<typeof registryClient>;
}

async function push(): Promise<Pushed> {
  images += 1;
  const client = registryClient(`http://${sandbox.registry}`, `app${images}`);
  await client.pushBlob('{}');
  const { digest } = await client.pushManifest(artifact());
  return { name: `${sandbox.registry}/app${images}@${digest}`, digest, client };
}

async function signed(): Promise<Pushed> {
  const image = await push();
  expect(await run('sign', image.name)).toMatchObject({ exitCode: 0 });
  return image;
}

async function legacySigned(privateKey: KeyObject): Promise<Pushed> {
  const image = await push();
  const payload = JSON.stringify({
    critical: {
      identity: { 'docker-reference': '' },
      image: { 'docker-manifest-digest': image.digest },
      type: 'cosign container image signature',
    },
    optional: null,
  });
  const layer = {
    mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
    digest: await image.client.pushBlob(payload),
    size: payload.length,
    annotations: {
      'dev.cosignproject.cosign/signature': sign('sha256', Buffer.from(payload), privateKey).toString('base64'),
    },
  };
  const reference = `${image.digest.replace(':', '-')}.sig`;
  await image.client.pushManifest(artifact({ layers: [layer] }), { reference });
  return image;
}

function writeKey(name: string, key: KeyObject): string {
  const path = join(folder, name);
  writeFileSync(path, key.export({ format: 'pem', type: 'spki' }));
  return path;
}

const identity = (text: string): readonly string[] => ['--certificate-identity', text];
const issuer = (): readonly string[] => ['--certificate-oidc-issuer', sandbox.issuer];

describe('verify without a policy file', () => {
  test('allows what the named identity signed, and nobody else', async () => {
    const { name } = await signed();
    expect(await run('verify', name, ...identity(sandbox.identity), ...issuer())).toMatchObject({ exitCode: 0 });
    expect(await run('verify', name, ...identity('https://someone.example'), ...issuer())).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining('SIGNER_MISMATCH') as string,
    });
    expect(
      await run('verify', name, ...identity(sandbox.identity), '--certificate-oidc-issuer', 'https://other.example'),
    ).toMatchObject({ exitCode: 1 });
  });

  test('takes any of several identities', async () => {
    const { name } = await signed();
    const several = [...identity('https://someone.example'), ...identity(sandbox.identity)];
    expect(await run('verify', name, ...several, ...issuer())).toMatchObject({ exitCode: 0 });
  });

  test('an expression must match the whole identity, and the whole issuer', async () => {
    const { name } = await signed();
    const regexp = (text: string): Promise<Ran> =>
      run('verify', name, '--certificate-identity-regexp', text, ...issuer());
    expect(await regexp('https://boltseal\\.example/.*')).toMatchObject({ exitCode: 0 });
    expect(await regexp('boltseal\\.example')).toMatchObject({ exitCode: 1 });
    expect(await regexp('https://boltseal\\.example/release|x')).toMatchObject({ exitCode: 1 });
    const ofIssuer = (text: string): Promise<Ran> =>
      run('verify', name, ...identity(sandbox.identity), '--certificate-oidc-issuer-regexp', text);
    expect(await ofIssuer('http://127\\.0\\.0\\.1:\\d+')).toMatchObject({ exitCode: 0 });
    expect(await ofIssuer('127\\.0\\.0\\.1')).toMatchObject({ exitCode: 1 });
  });

  test.each([
    ['trigger', 'push', 'schedule'],
    ['sha', 'a'.repeat(40), 'b'.repeat(40)],
    ['name', 'Release', 'Test'],
    ['repository', 'acme/app', 'acme/app-2'],
    ['ref', 'refs/heads/main', 'refs/heads/mai'],
  ])('--certificate-github-workflow-%s must be what the certificate says', async (flag, right, wrong) => {
    const image = await push();
    const claims = {
      event_name: 'push',
      sha: 'a'.repeat(40),
      workflow: 'Release',
      repository: 'acme/app',
      ref: 'refs/heads/main',
      workflow_ref: 'acme/app/.github/workflows/r.yml@refs/heads/main',
    };
    const token = await sandbox.token(claims);
    expect(await run('sign', image.name, '--identity-token', token)).toMatchObject({ exitCode: 0 });
    const verify = (value: string): Promise<Ran> =>
      run(
        'verify',
        image.name,
        '--certificate-identity-regexp',
        '.*',
        ...issuer(),
        `--certificate-github-workflow-${flag}`,
        value,
      );
    expect(await verify(right)).toMatchObject({ exitCode: 0 });
    expect(await verify(wrong)).toMatchObject({ exitCode: 1 });
  });

  test('an SBOM by the same signer is no signature, and --type asks for it', async () => {
    const image = await push();
    const predicate = join(folder, 'bom.json');
    writeFileSync(predicate, '{"bomFormat":"CycloneDX","specVersion":"1.6"}');
    const attested = await run('attest', image.name, '--type', 'cyclonedx', '--predicate', predicate);
    expect(attested).toMatchObject({ exitCode: 0 });
    const who = [...identity(sandbox.identity), ...issuer()];
    expect(await run('verify', image.name, ...who)).toMatchObject({ exitCode: 1 });
    expect(await run('verify', image.name, ...who, '--type', 'cyclonedx')).toMatchObject({ exitCode: 0 });
    expect(await run('verify', image.name, ...who, '--type', 'spdxjson')).toMatchObject({ exitCode: 1 });
  });

  test.each([
    ['nothing', []],
    ['an identity without an issuer', ['--certificate-identity', 'a']],
    ['an issuer without an identity', ['--certificate-oidc-issuer', 'https://a.example']],
    ['only an extension', ['--certificate-github-workflow-ref', 'refs/heads/main']],
    [
      'two issuers',
      ['--certificate-identity', 'a', '--certificate-oidc-issuer', 'b', '--certificate-oidc-issuer-regexp', 'b'],
    ],
    ['no RE2', ['--certificate-identity-regexp', '(?=a)', '--certificate-oidc-issuer', 'b']],
    ['a type that is none', ['--certificate-identity', 'a', '--certificate-oidc-issuer', 'b', '--type', 'sbom']],
    ['a policy and a signer', ['--policy', 'p.yaml', '--certificate-identity', 'a']],
    ['a policy and a leniency', ['--policy', 'p.yaml', '--insecure-ignore-tlog']],
  ])('%s is a usage error', async (_name, flags) => {
    const { exitCode, stderr } = await run('verify', `${sandbox.registry}/app1:1`, ...flags);
    expect({ exitCode, code: /error (\w+)/.exec(stderr)?.[1] }).toEqual({ exitCode: 2, code: 'USAGE' });
  });
});

describe('cosign’s old formats', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  test('count where there is nothing newer, for the key that signed', async () => {
    const { name } = await legacySigned(privateKey);
    const key = writeKey('own.pub', publicKey);
    const other = writeKey('other.pub', generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
    expect(await run('verify', name, '--key', key, '--insecure-ignore-tlog')).toMatchObject({ exitCode: 0 });
    expect(await run('verify', name, '--key', other, '--insecure-ignore-tlog')).toMatchObject({ exitCode: 1 });
    expect(await run('verify', name, '--key', key)).toMatchObject({ exitCode: 1 });
    expect(await run('verify', name, '--key', key, '--insecure-ignore-tlog', '--no-legacy')).toMatchObject({
      exitCode: 1,
    });
  });

  test('cost no request where a bundle satisfies, unless they are asked for', async () => {
    const { name } = await signed();
    const who = [...identity(sandbox.identity), ...issuer()];
    requests = [];
    expect(await run('verify', name, ...who)).toMatchObject({ exitCode: 0 });
    expect(requests.filter((line) => line.includes('.sig'))).toEqual([]);
    expect(await run('verify', name, ...who, '--legacy')).toMatchObject({ exitCode: 0 });
    expect(requests.filter((line) => line.includes('.sig'))).not.toEqual([]);
  });

  test.each([
    [401, 'REGISTRY_UNAUTHORIZED'],
    [403, 'REGISTRY_DENIED'],
    [500, 'REGISTRY_ERROR'],
    [404, 'denied'],
  ])('a registry that answers %i for them: %s', async (status, expected) => {
    const manifest = JSON.stringify(artifact());
    const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] };
    await using server = await startServer((request, response) => {
      const path = request.url ?? '';
      if (path.endsWith('.sig')) send(response, problem(status, 'ERROR'), request.method !== 'HEAD');
      else if (path.includes('/referrers/')) send(response, json(200, index, { 'content-type': MEDIA_TYPES.ociIndex }));
      else if (path.includes(digestOf(manifest)))
        send(response, { status: 200, body: manifest, headers: { 'content-type': MEDIA_TYPES.ociManifest } });
      else send(response, { status: 404 });
    });
    const key = writeKey('own.pub', publicKey);
    const ran = await boltseal([
      'verify',
      `${server.host}/app@${digestOf(manifest)}`,
      '--key',
      key,
      '--insecure-ignore-tlog',
      '--format',
      'json',
    ]);
    const { images: verdicts } = JSON.parse(ran.stdout) as {
      images: readonly { outcome: string; error?: { code: string } }[];
    };
    expect({ exitCode: ran.exitCode, said: verdicts[0]?.error?.code ?? verdicts[0]?.outcome }).toEqual({
      exitCode: status === 404 ? 1 : 3,
      said: expected,
    });
  });
});

describe('verify-blob', () => {
  test('answers for a file and for its digest, with the signer’s name', async () => {
    const [file, bundle] = [join(folder, 'file'), join(folder, 'bundle')];
    writeFileSync(file, 'content');
    const made = await run(
      'conformance',
      'sign-bundle',
      '--identity-token',
      await sandbox.token(),
      '--bundle',
      bundle,
      '--signing-config',
      sandbox.signingConfigPath,
      file,
    );
    expect(made).toMatchObject({ exitCode: 0 });
    const who = [...identity(sandbox.identity), ...issuer()];
    const good = await run('verify-blob', file, '--bundle', bundle, ...who, '--format', 'json');
    expect(good).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(good.stdout)).toMatchObject({ kind: 'VerifyBlobResult', verified: true });
    writeFileSync(join(folder, 'other'), 'other content');
    const bad = await run('verify-blob', join(folder, 'other'), '--bundle', bundle, ...who, '--format', 'json');
    expect(bad).toMatchObject({ exitCode: 1 });
    expect(JSON.parse(bad.stdout)).toMatchObject({ verified: false, code: 'SUBJECT_MISMATCH' });
    const stranger = await run('verify-blob', file, '--bundle', bundle, ...identity('x'), ...issuer());
    expect(stranger).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('SIGNER_MISMATCH') as string });
  });

  test.each([
    ['a digest that is none', ['sha256:abc'], 'REFERENCE_INVALID'],
    ['a file that is not there', ['/nowhere/file'], 'FILE_NOT_FOUND'],
  ])('%s is a usage error', async (_name, [file = ''], code) => {
    const bundle = join(folder, 'empty-bundle');
    writeFileSync(bundle, '{}');
    const ran = await run('verify-blob', file, '--bundle', bundle, ...identity('x'), ...issuer());
    expect({ exitCode: ran.exitCode, code: /error (\w+)/.exec(ran.stderr)?.[1] }).toEqual({ exitCode: 2, code });
  });
});
