import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Digest } from '../../src/oci/digest.ts';
import { startSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { boltseal, type Ran } from '../support/cli.ts';
import { testContext } from '../support/context.ts';
import { artifact, registryClient, type RegistryClient } from '../support/registry-client.ts';
import { missingTools, runToolBeside, temporaryFolder, type ToolResult } from '../support/tools.ts';

const OLD_FORMAT = ['--new-bundle-format=false', '--use-signing-config=false'];
const TYPE = 'https://example.com/predicate/v1';

/** With the referrers API and without it: the old formats are tags, and must be found in both. */
describe.skipIf(missingTools('cosign in its old formats', 'cosign')).each([true, false])(
  'cosign in its old formats, in a registry with the referrers API: %s',
  (referrersApi) => {
    let sandbox: Sandbox;
    let client: RegistryClient;
    let image: Digest;
    let repositories = 0;

    beforeAll(async () => {
      sandbox = await startSandbox({ referrersApi }, testContext({ now: () => new Date() }));
    });
    afterAll(() => sandbox[Symbol.asyncDispose]());
    beforeEach(async () => {
      repositories += 1;
      client = registryClient(`http://${sandbox.registry}`, `app${repositories}`);
      await client.pushBlob('{}');
      ({ digest: image } = await client.pushManifest(artifact()));
    });

    const name = (): string => `${sandbox.registry}/app${repositories}@${image}`;

    const cosign = async (...args: readonly string[]): Promise<ToolResult> => {
      const result = await runToolBeside('cosign', [...args], { env: { COSIGN_PASSWORD: '' } });
      expect(result).toMatchObject({ status: 0 });
      return result;
    };

    const keylessFlags = async (): Promise<readonly string[]> => {
      const { fulcio, rekorV1, timestampAuthority } = sandbox.services;
      return [
        '-y',
        '--allow-http-registry',
        ...OLD_FORMAT,
        '--trusted-root',
        sandbox.trustedRootPath,
        '--fulcio-url',
        fulcio.url,
        '--rekor-url',
        rekorV1.url,
        '--timestamp-server-url',
        timestampAuthority.endpoint,
        '--identity-token',
        await sandbox.token(),
      ];
    };

    const verify = (...flags: readonly string[]): Promise<Ran> =>
      boltseal(['verify', name(), ...flags], { env: sandbox.environment });

    const someone = (identity = sandbox.identity): readonly string[] => [
      '--certificate-identity',
      identity,
      '--certificate-oidc-issuer',
      sandbox.issuer,
    ];

    test('a keyless signature counts for its signer and nobody else', async () => {
      await cosign('sign', ...(await keylessFlags()), name());
      const found = await verify(...someone());
      expect(found).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("in cosign's old format") as string });
      expect(await verify(...someone('https://someone.example/else'))).toMatchObject({ exitCode: 1 });
      expect(await verify(...someone(), '--no-legacy')).toMatchObject({ exitCode: 1 });
    });

    test('a keyless attestation counts for its type and not as a signature', async () => {
      const predicate = join(temporaryFolder(), 'predicate.json');
      writeFileSync(predicate, '{"a":1}');
      await cosign('attest', ...(await keylessFlags()), '--type', TYPE, '--predicate', predicate, name());
      expect(await verify(...someone(), '--type', TYPE)).toMatchObject({ exitCode: 0 });
      expect(await verify(...someone(), '--type', 'cyclonedx')).toMatchObject({ exitCode: 1 });
      expect(await verify(...someone())).toMatchObject({ exitCode: 1 });
    });

    test('a signature with a key and no log counts where no log is asked for', async () => {
      const keys = temporaryFolder();
      const key = join(keys, 'cosign');
      await cosign('generate-key-pair', '--output-key-prefix', key);
      const flags = ['-y', '--allow-http-registry', ...OLD_FORMAT, '--tlog-upload=false', '--key', `${key}.key`];
      await cosign('sign', ...flags, '-a', 'env=prod', name());
      expect(await verify('--key', `${key}.pub`, '--insecure-ignore-tlog')).toMatchObject({ exitCode: 0 });
      expect(await verify('--key', `${key}.pub`)).toMatchObject({
        exitCode: 1,
        stdout: expect.stringContaining('LOG_ENTRY_MISSING') as string,
      });
      await cosign('generate-key-pair', '--output-key-prefix', join(keys, 'other'));
      expect(await verify('--key', join(keys, 'other.pub'), '--insecure-ignore-tlog')).toMatchObject({ exitCode: 1 });
    });

    test('a signature that refers to the image by its subject is found', async () => {
      const key = join(temporaryFolder(), 'cosign');
      await cosign('generate-key-pair', '--output-key-prefix', key);
      const flags = ['-y', '--allow-http-registry', ...OLD_FORMAT, '--tlog-upload=false', '--key', `${key}.key`];
      const signed = await runToolBeside('cosign', ['sign', ...flags, '--registry-referrers-mode=oci-1-1', name()], {
        env: { COSIGN_PASSWORD: '', COSIGN_EXPERIMENTAL: '1' },
      });
      expect(signed).toMatchObject({ status: 0 });
      expect(await verify('--key', `${key}.pub`, '--insecure-ignore-tlog')).toMatchObject({ exitCode: 0 });
    });

    test('a signature of another image, moved to this one’s tag, does not count', async () => {
      await cosign('sign', ...(await keylessFlags()), name());
      const stored = await client.send('GET', `manifests/${image.replace(':', '-')}.sig`);
      const manifest = JSON.parse(await stored.text()) as object;
      const other = await client.pushManifest(artifact({ annotations: { other: 'image' } }));
      await client.pushManifest(manifest, { reference: `${other.digest.replace(':', '-')}.sig` });
      image = other.digest;
      expect(await verify(...someone())).toMatchObject({
        exitCode: 1,
        stdout: expect.stringContaining('SUBJECT_MISMATCH') as string,
      });
    });
  },
);
