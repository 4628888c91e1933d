import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Context } from '../src/base/context.ts';
import { startSandbox, type Sandbox } from '../src/sandbox/sandbox.ts';
import { boltseal, type Ran } from './support/cli.ts';
import { testContext } from './support/context.ts';
import { buildImage, buildIndex, buildLayer, writeLayout } from './support/image-builder.ts';
import { pushLayout } from './support/push.ts';

let sandbox: Sandbox;
let folder: string;
let repository: string;
let requests = 0;

const run = (argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> =>
  boltseal(argv, { env: { ...sandbox.environment, ...env } });

const STATUS = [
  'Package: zlib1g',
  'Status: install ok installed',
  'Architecture: amd64',
  'Version: 1:1.2.13.dfsg-1',
  'Maintainer: Someone <x@example.com>',
  '',
].join('\n');
const RELEASE = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n';

function policy(name: string, changes: Readonly<Record<string, string>> = {}): string {
  const text = Object.entries(changes).reduce(
    (all, [from, to]) => {
      if (!all.includes(from)) throw new Error(`the policy has no "${from}"`);
      return all.replace(from, to);
    },
    `apiVersion: boltseal.dev/v1
kind: ImagePolicy
metadata:
  name: ${name}
images:
  - ${repository}/**
signers:
  release:
    keyless:
      issuer: ${sandbox.issuer}
      identity: ${sandbox.identity}
require:
  - id: signed
    signature: { by: release }
  - id: sbom
    attestation: { type: cyclonedx, by: release }
  - id: clean
    sbom:
      from: sbom
      deny: ["pkg:deb/debian/openssl"]
`,
  );
  const path = join(folder, `${name}.yaml`);
  writeFileSync(path, text);
  return path;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'boltseal-pipeline-'));
  const emit: Context['emit'] = (event) => {
    if (event.kind === 'detail' && event.message.startsWith('sandbox registry:')) requests += 1;
  };
  sandbox = await startSandbox({}, testContext({ now: () => new Date(), emit }));
  repository = sandbox.registry;
});

afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function pushed(
  name: string,
  extra: readonly { readonly path: string; readonly body: string }[] = [],
): Promise<string> {
  const layer = buildLayer([
    { path: 'etc/os-release', body: RELEASE },
    { path: 'var/lib/dpkg/status', body: STATUS },
    ...extra,
  ]);
  const image = buildImage({ layers: [layer] });
  const layout = join(folder, `layout-${name.replaceAll(/\W/g, '-')}`);
  rmSync(layout, { recursive: true, force: true });
  writeLayout(layout, [{ image, tag: 'v1' }]);
  return pushLayout(layout, `${repository}/${name}:v1`);
}

describe('seal, discover, verify', () => {
  test('a sealed image is allowed, and everything about it can be seen', async () => {
    const image = await pushed('app/sealed');
    const sealed = await run(['seal', image, '--format', 'json']);
    expect(sealed).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(sealed.stdout)).toMatchObject({ schemaVersion: 1, kind: 'SealResult' });

    const discovered = await run(['discover', image]);
    expect(discovered.stdout).toMatch(/signature[\s\S]*cyclonedx|cyclonedx[\s\S]*signature/);

    const verified = await run(['verify', image, '--policy', policy('allowed')]);
    expect(verified).toMatchObject({ exitCode: 0 });
    expect(verified.stdout).toMatch(/signed[\s\S]*sbom[\s\S]*clean/);
    expect(verified.stdout).toContain(sandbox.identity);
  });

  test('an image nobody sealed is denied', async () => {
    const image = await pushed('app/unsealed');
    const verified = await run(['verify', image, '--policy', policy('unsealed')]);
    expect(verified).toMatchObject({ exitCode: 1 });
    expect(verified.stdout).toMatch(/denied/);
  });

  test('a sealed image is denied under a policy for another signer, and the reason names both', async () => {
    const image = await pushed('app/other-signer');
    expect(await run(['seal', image])).toMatchObject({ exitCode: 0 });
    const other = policy('other-signer', { [`identity: ${sandbox.identity}`]: 'identity: https://example.com/other' });
    const verified = await run(['verify', image, '--policy', other]);
    expect(verified).toMatchObject({ exitCode: 1 });
    expect(verified.stdout).toContain(sandbox.identity);
    expect(verified.stdout).toContain('https://example.com/other');
  });

  test('a sealed image with a banned package is denied, and one without it is not', async () => {
    const image = await pushed('app/banned');
    expect(await run(['seal', image])).toMatchObject({ exitCode: 0 });
    expect(await run(['verify', image, '--policy', policy('banned-other')])).toMatchObject({ exitCode: 0 });
    const verified = await run([
      'verify',
      image,
      '--policy',
      policy('banned', { 'pkg:deb/debian/openssl': 'pkg:deb/debian/zlib1g' }),
    ]);
    expect(verified).toMatchObject({ exitCode: 1 });
    expect(verified.stdout).toContain('zlib1g');
  });

  test('a signed image without an SBOM is denied: a signature is not an attestation', async () => {
    const image = await pushed('app/only-signed');
    expect(await run(['sign', image])).toMatchObject({ exitCode: 0 });
    expect(await run(['verify', image, '--policy', policy('only-signed')])).toMatchObject({ exitCode: 1 });
  });

  test('an attested image without a signature is denied: an attestation is not a signature', async () => {
    const image = await pushed('app/only-attested');
    const predicate = join(folder, 'bom.json');
    expect(await run(['sbom', image, '-o', `cyclonedx-json=${predicate}`])).toMatchObject({ exitCode: 0 });
    expect(await run(['attest', image, '--type', 'cyclonedx', '--predicate', predicate])).toMatchObject({
      exitCode: 0,
    });
    expect(await run(['verify', image, '--policy', policy('only-attested')])).toMatchObject({ exitCode: 1 });
  });

  test('a tag that moved to an unsealed image is denied', async () => {
    const image = await pushed('app/moved');
    expect(await run(['seal', image])).toMatchObject({ exitCode: 0 });
    expect(await run(['verify', image, '--policy', policy('moved')])).toMatchObject({ exitCode: 0 });
    await pushed('app/moved', [{ path: 'tmp/implant', body: 'x' }]);
    expect(await run(['verify', image, '--policy', policy('moved')])).toMatchObject({ exitCode: 1 });
  });

  test('a sealed image copied into a layout is allowed offline, under the same policy and the name it had', async () => {
    const image = await pushed('app/offline');
    expect(await run(['seal', image])).toMatchObject({ exitCode: 0 });
    const copied = `oci:${join(folder, 'offline')}:v1`;
    expect(await run(['copy', image, copied])).toMatchObject({ exitCode: 0 });
    const before = requests;
    const judged = (name: string): Promise<Ran> => run(['verify', copied, '--as', name, '--policy', policy('offline')]);
    expect(await judged(`${repository}/app/offline`)).toMatchObject({ exitCode: 0 });
    expect(await judged('registry.example.com/elsewhere')).toMatchObject({ exitCode: 1 });
    expect(await run(['verify', copied, '--policy', policy('offline')])).toMatchObject({ exitCode: 1 });
    expect(requests).toBe(before);
    expect(
      await run(['verify', image, '--as', `${repository}/app/offline`, '--policy', policy('offline')]),
    ).toMatchObject({ exitCode: 2 });
  });

  test('an image that no policy is for is denied', async () => {
    const image = await pushed('other/app');
    expect(await run(['seal', image])).toMatchObject({ exitCode: 0 });
    const verified = await run([
      'verify',
      image,
      '--policy',
      policy('elsewhere', { [`${repository}/**`]: `${repository}/app/**` }),
    ]);
    expect(verified).toMatchObject({ exitCode: 1 });
    expect(verified.stdout).toMatch(/no policy/i);
  });

  test('verifying one signed image by digest makes 3 requests', async () => {
    const image = await pushed('app/requests');
    const sealed = await run(['sign', image, '--format', 'json']);
    const { digest } = (JSON.parse(sealed.stdout) as { images: [{ digest: string }] }).images[0];
    const signedOnly = policy('requests', {
      [readFileSync(policy('whole'), 'utf8').slice(readFileSync(policy('whole'), 'utf8').indexOf('  - id: sbom'))]: '',
    });
    const before = requests;
    expect(await run(['verify', `${repository}/app/requests@${digest}`, '--policy', signedOnly])).toMatchObject({
      exitCode: 0,
    });
    expect(requests - before).toBe(3);
  });

  test('the same image gives the same SBOM bytes twice', async () => {
    const image = await pushed('app/same');
    const [first, second] = [await run(['sbom', image]), await run(['sbom', image])];
    expect(first.exitCode).toBe(0);
    expect(second.stdout).toBe(first.stdout);
    expect(JSON.parse(first.stdout)).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6' });
  });
});

describe('what goes wrong is said, with the right exit code', () => {
  test.each([
    ['an unknown field', { 'require:': 'requires: []\nrequire:' }],
    ['a repeated field', { 'kind: ImagePolicy': 'kind: ImagePolicy\nkind: ImagePolicy' }],
    ['a signer that is not there', { 'signature: { by: release }': 'signature: { by: relese }' }],
    ['no requirement', { 'signed\n    signature: { by: release }': 'signed' }],
    ['text that is no YAML', { 'metadata:': 'metadata: [' }],
  ])('a policy with %s denies with a code and a place', async (_name, changes) => {
    const { exitCode, stderr } = await run([
      'verify',
      `${repository}/app/sealed:v1`,
      '--policy',
      policy('broken', changes),
    ]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/POLICY_INVALID[\s\S]*broken\.yaml:\d+:\d+/);
    expect(stderr).toMatch(/→/);
  });

  test('a policy file that is not there is a usage error', async () => {
    expect(await run(['verify', `${repository}/app/x:v1`, '--policy', join(folder, 'none.yaml')])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('FILE_NOT_FOUND'),
    });
  });

  test('a registry that nobody answers for is not a denial', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const anywhere = policy('anywhere', { [`${repository}/**`]: "'**'" });
    const { exitCode, stdout, stderr } = await run(['verify', `127.0.0.1:${port}/app/x:v1`, '--policy', anywhere]);
    expect(exitCode).toBe(3);
    expect(stdout + stderr).toContain('REGISTRY_UNREACHABLE');
  });

  test.each([
    [401, 'REGISTRY_UNAUTHORIZED'],
    [403, 'REGISTRY_DENIED'],
    [500, 'REGISTRY_ERROR'],
  ])('a registry that answers %i to everything is not a denial', async (status, code) => {
    const server = createServer((_request, response) => response.writeHead(status).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const anywhere = policy('anywhere', { [`${repository}/**`]: "'**'" });
    const digest = `sha256:${'ab'.repeat(32)}`;
    for (const image of [`127.0.0.1:${port}/app/x:v1`, `127.0.0.1:${port}/app/x@${digest}`]) {
      const { exitCode, stdout, stderr } = await run(['verify', image, '--policy', anywhere]);
      expect({ exitCode, code: (stdout + stderr).includes(code) }).toEqual({ exitCode: 3, code: true });
    }
    await new Promise((resolve) => server.close(resolve));
  });

  test('an image that is not there could not be found out about', async () => {
    const { exitCode, stdout, stderr } = await run([
      'verify',
      `${repository}/app/nothing:v1`,
      '--policy',
      policy('nothing'),
    ]);
    expect(exitCode).toBe(3);
    expect(stdout + stderr).toContain('NOT_FOUND');
  });

  test('an expired token is refused before anything is sent', async () => {
    const image = await pushed('app/expired');
    const before = requests;
    const expired = await sandbox.token({ exp: Math.floor(Date.now() / 1000) - 60 });
    const { exitCode, stderr } = await run(['sign', image, '--identity-token', expired]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('TOKEN_INVALID') });
    expect(stderr).not.toContain(expired);
    expect(requests).toBe(before);
  });

  test('no token at all says how to give one', async () => {
    const { exitCode, stderr } = await run(['sign', await pushed('app/no-token')], { SIGSTORE_ID_TOKEN: '' });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('SIGSTORE_ID_TOKEN') });
  });

  test('an index of several platforms asks which, and takes the answer', async () => {
    const layer = buildLayer([{ path: 'etc/os-release', body: RELEASE }]);
    const layout = join(folder, 'layout-index');
    const platforms = [
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm64' },
    ];
    writeLayout(layout, [
      { image: buildIndex(platforms.map((platform) => buildImage({ layers: [layer], platform }))), tag: 'v1' },
    ]);
    const { exitCode, stderr } = await run(['sbom', `oci:${layout}`]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('PLATFORM_AMBIGUOUS') });
    expect(stderr).toMatch(/linux\/amd64[\s\S]*linux\/arm64/);
    expect(await run(['sbom', `oci:${layout}`, '--platform', 'linux/arm64'])).toMatchObject({ exitCode: 0 });
    expect(await run(['sbom', `oci:${layout}`, '--platform', 'linux/riscv64'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('PLATFORM_NOT_FOUND'),
    });
  });

  test('an SBOM that cannot be written is not left half-written', async () => {
    const { exitCode, stderr } = await run([
      'sbom',
      await pushed('app/unwritable'),
      '-o',
      `cyclonedx-json=${join(folder, 'no/such/folder/bom.json')}`,
    ]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('FILE_UNWRITABLE') });
  });
});
