import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Digest } from '../../src/oci/digest.ts';
import { MEDIA_TYPES } from '../../src/oci/media-types.ts';
import { startSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { chooseServices } from '../../src/sign/choose-services.ts';
import { readIdentityToken } from '../../src/sign/identity-token.ts';
import { keylessSigner } from '../../src/sign/keyless.ts';
import { parseSigningConfig } from '../../src/sign/signing-config.ts';
import { attestationStatement, makePredicate, signatureStatement } from '../../src/sign/statements.ts';
import { testContext } from '../support/context.ts';
import { artifact, registryClient, type RegistryClient } from '../support/registry-client.ts';
import { missingTools, runToolBeside, temporaryFolder, type ToolResult } from '../support/tools.ts';

const context = testContext({ now: () => new Date() });
let sandbox: Sandbox;
let client: RegistryClient;
let image: Digest;
let repositories = 0;

beforeAll(async () => {
  sandbox = await startSandbox({}, context);
});
afterAll(() => sandbox[Symbol.asyncDispose]());
beforeEach(async () => {
  repositories += 1;
  client = registryClient(`http://${sandbox.registry}`, `app${repositories}`);
  await client.pushBlob('{}');
  ({ digest: image } = await client.pushManifest(artifact()));
});

describe.skipIf(missingTools('cosign in the sandbox', 'cosign')).for([1, 2] as const)(
  'cosign and Rekor v%i',
  (version) => {
    test('signs in the sandbox, and verifies what it signed, for that identity only', async () => {
      const signed = await cosign('sign', '-y', '--signing-config', configFor(version), ...tokenFlag(), imageName());
      expect(signed).toMatchObject({ status: 0 });
      expect(await verify(sandbox.identity)).toMatchObject({ status: 0 });
      expect((await verify('https://someone.example/else')).status).not.toBe(0);
    });

    test('verifies a signature made here, with its annotations', async () => {
      await attach(signatureStatement(image, { env: 'prod' }), version);
      expect(await verify(sandbox.identity, '-a', 'env=prod')).toMatchObject({ status: 0 });
      expect((await verify(sandbox.identity, '-a', 'env=test')).status).not.toBe(0);
    });

    test('verifies an attestation made here, of its type only', async () => {
      const predicate = makePredicate('cyclonedx', Buffer.from('{"bomFormat":"CycloneDX"}'), context);
      await attach(attestationStatement({ name: `${sandbox.registry}/app`, digest: image }, predicate), version);
      expect(await verifyAttestation('cyclonedx')).toMatchObject({ status: 0 });
      expect((await verifyAttestation('spdxjson')).status).not.toBe(0);
    });
  },
);

describe.skipIf(missingTools('the OCI conformance suite', 'conformance'))('the sandbox’s registry', () => {
  test('passes the conformance suite of distribution-spec 1.1', async () => {
    const env = {
      OCI_REGISTRY: sandbox.registry,
      OCI_TLS: 'disabled',
      OCI_REPO1: 'conformance/one',
      OCI_REPO2: 'conformance/two',
      OCI_VERSION: '1.1',
      OCI_RESULTS_DIR: temporaryFolder(),
    };
    const result = await runToolBeside('conformance', [], { env, cwd: env.OCI_RESULTS_DIR });
    expect(result).toMatchObject({ status: 0, stdout: expect.stringMatching(/FAIL\.*: +0\n/) as string });
  });
});

async function cosign(...args: readonly string[]): Promise<ToolResult> {
  const [verb = '', ...rest] = args;
  const flags = ['--allow-http-registry', '--trusted-root', sandbox.trustedRootPath];
  return runToolBeside('cosign', [verb, ...flags, ...rest]);
}

function verify(identity: string, ...more: readonly string[]): Promise<ToolResult> {
  return cosign('verify', ...signerFlags(identity), ...more, imageName());
}

function verifyAttestation(type: string): Promise<ToolResult> {
  return cosign('verify-attestation', '--type', type, ...signerFlags(sandbox.identity), imageName());
}

function signerFlags(identity: string): readonly string[] {
  return ['--certificate-identity', identity, '--certificate-oidc-issuer', sandbox.issuer];
}

function tokenFlag(): readonly string[] {
  return ['--identity-token', sandbox.environment['SIGSTORE_ID_TOKEN'] ?? ''];
}

function imageName(): string {
  return `${sandbox.registry}/app${repositories}@${image}`;
}

/** The sandbox's signing configuration with one of its two logs, since cosign would choose the newer. */
function configFor(version: 1 | 2): string {
  const config = JSON.parse(readFileSync(sandbox.signingConfigPath, 'utf8')) as {
    rekorTlogUrls: readonly { majorApiVersion: number }[];
  };
  const rekorTlogUrls = config.rekorTlogUrls.filter(({ majorApiVersion }) => majorApiVersion === version);
  const path = join(temporaryFolder(), 'signing_config.json');
  writeFileSync(path, JSON.stringify({ ...config, rekorTlogUrls }));
  return path;
}

async function attach(statement: Uint8Array, rekorVersion: 1 | 2): Promise<void> {
  const config = parseSigningConfig(readFileSync(sandbox.signingConfigPath), 'the signing configuration');
  const signer = keylessSigner({
    services: chooseServices(config, { rekorVersion }, context),
    getToken: async () => readIdentityToken(await sandbox.token(), { origin: 'the sandbox' }, context),
  });
  const { bytes } = await signer.sign(statement, context);
  const layer = { mediaType: MEDIA_TYPES.sigstoreBundle, digest: await client.pushBlob(bytes), size: bytes.length };
  const subject = { mediaType: MEDIA_TYPES.ociManifest, digest: image, size: JSON.stringify(artifact()).length };
  const { response } = await client.pushManifest(
    artifact({ artifactType: MEDIA_TYPES.sigstoreBundle, layers: [layer], subject }),
  );
  expect(response.status).toBe(201);
}
