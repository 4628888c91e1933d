import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { startSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { chooseWitnesses } from '../../src/sign/choose-services.ts';
import { generateKeyPair, importKey } from '../../src/sign/key/key-pair.ts';
import { keySigner } from '../../src/sign/key/key-signer.ts';
import { openKey } from '../../src/sign/key/open-key.ts';
import { KEY_ALGORITHMS, type KeyAlgorithm } from '../../src/sign/key/scheme.ts';
import { parseSigningConfig, type WitnessServices } from '../../src/sign/signing-config.ts';
import { attestationStatement } from '../../src/sign/statements.ts';
import { verifyArtifactBundle } from '../../src/verify/artifact.ts';
import { loadTrustedKey, loadTrustRoot, NO_TRUST, withKeys } from '../../src/verify/trust-root.ts';
import { testContext } from '../support/context.ts';
import { keyFile } from '../support/keys.ts';
import { writeKmsPlugin } from '../support/kms-plugin.ts';
import { missingTools, mustRun, runTool, runToolBeside, temporaryFolder } from '../support/tools.ts';

const PASSWORD = 'correct horse';
const env = { COSIGN_PASSWORD: PASSWORD };
const context = testContext({ now: () => new Date(), env });
const ALGORITHMS = Object.keys(KEY_ALGORITHMS) as KeyAlgorithm[];
/** cosign 3.1.2 signs with SHA-384 and SHA-512 as it should, and verifies `--key` with SHA-256, its own signatures too. */
const UNVERIFIABLE: readonly KeyAlgorithm[] = ['ecdsa-sha2-384-nistp384', 'ecdsa-sha2-512-nistp521'];
const VERIFIABLE = ALGORITHMS.filter((name) => !UNVERIFIABLE.includes(name));
const LOGGABLE = VERIFIABLE.filter((name) => name !== 'ed25519');
const NO_SERVICES = { rekor: [], timestampAuthorities: [] };
const NO_PROOFS = { logEntries: 0, times: 0 };
const BLOB = 'a file\n';

describe.skipIf(missingTools('keys shared with cosign', 'cosign'))('cosign', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({}, context);
  });
  afterAll(() => sandbox[Symbol.asyncDispose]());

  test.each(ALGORITHMS)(
    'takes the %s key pair made here, signs with it, and the signature verifies here',
    async (algorithm) => {
      const folder = await workFolder(algorithm);
      const args = ['--key', 'cosign.key', '--signing-config', 'none.json', '--bundle', 'bundle.json', '-y', 'blob'];
      mustRun('cosign', ['sign-blob', ...args], { cwd: folder, env });
      const trust = withKeys(NO_TRUST, [loadTrustedKey(readFileSync(join(folder, 'cosign.pub')))]);
      const bytes = readFileSync(join(folder, 'bundle.json'));
      const verified = (text: string) =>
        verifyArtifactBundle(bytes, Buffer.from(text), { trust, thresholds: NO_PROOFS });
      // cosign 3.1.2 writes no message digest for Ed25519, and then does not verify its own bundle.
      expect(verified(BLOB).ok).toBe(algorithm !== 'ed25519');
      expect(verified('another file').ok).toBe(false);
    },
  );

  test.each(UNVERIFIABLE)("verifies nobody's signatures with %s, its own included", async (algorithm) => {
    const folder = await workFolder(algorithm);
    const key = await openKey(join(folder, 'cosign.key'), {}, context);
    const ours = await keySigner({ key, services: NO_SERVICES }).signMessage(Buffer.from(BLOB), context);
    writeFileSync(join(folder, 'ours.json'), ours.bytes);
    const args = ['--key', 'cosign.key', '--signing-config', 'none.json', '--bundle', 'theirs.json', '-y', 'blob'];
    mustRun('cosign', ['sign-blob', ...args], { cwd: folder, env });
    for (const bundle of ['ours.json', 'theirs.json']) {
      const verify = ['verify-blob', '--key', 'cosign.pub', '--bundle', bundle, '--insecure-ignore-tlog', 'blob'];
      expect(runTool('cosign', verify, { cwd: folder, env }).stderr).toContain('invalid signature');
    }
  });

  test.each(VERIFIABLE)('verifies messages and statements signed here with %s, without log', async (algorithm) => {
    const folder = await workFolder(algorithm);
    const key = await openKey(join(folder, 'cosign.key'), {}, context);
    const signer = keySigner({ key, services: NO_SERVICES });
    writeFileSync(join(folder, 'message.json'), (await signer.signMessage(Buffer.from(BLOB), context)).bytes);
    writeFileSync(join(folder, 'statement.json'), (await signer.sign(statement(), context)).bytes);
    expect(outcomes(folder, ['--insecure-ignore-tlog'])).toEqual(AS_IT_SHOULD);
  });

  test.each(LOGGABLE.flatMap((algorithm) => ([1, 2] as const).map((version) => ({ algorithm, version }))))(
    'verifies messages and statements signed here with $algorithm and logged in Rekor v$version',
    async ({ algorithm, version }) => {
      const folder = await workFolder(algorithm);
      const key = await openKey(join(folder, 'cosign.key'), {}, context);
      const signer = keySigner({ key, services: services(version) });
      writeFileSync(join(folder, 'message.json'), (await signer.signMessage(Buffer.from(BLOB), context)).bytes);
      writeFileSync(join(folder, 'statement.json'), (await signer.sign(statement(), context)).bytes);
      expect(
        outcomes(folder, [
          '--trusted-root',
          sandbox.trustedRootPath,
          ...(version === 2 ? ['--use-signed-timestamps'] : []),
        ]),
      ).toEqual(AS_IT_SHOULD);
    },
  );

  test.each([1, 2] as const)(
    'signs with a key and logs in the Rekor v%i of the sandbox, and that verifies here',
    async (version) => {
      const folder = await workFolder('ecdsa-sha2-256-nistp256');
      writeFileSync(join(folder, 'services.json'), JSON.stringify(signingConfigOf(version)));
      const common = [
        '--key',
        'cosign.key',
        '--signing-config',
        'services.json',
        '--trusted-root',
        sandbox.trustedRootPath,
      ];
      const args = ['sign-blob', ...common, '--bundle', 'bundle.json', '-y', 'blob'];
      expect(await runToolBeside('cosign', args, { cwd: folder, env })).toMatchObject({ status: 0 });
      const trust = withKeys(loadTrustRoot(readFileSync(sandbox.trustedRootPath)), [
        loadTrustedKey(readFileSync(join(folder, 'cosign.pub'))),
      ]);
      const bytes = readFileSync(join(folder, 'bundle.json'));
      expect(verifyArtifactBundle(bytes, Buffer.from(BLOB), { trust })).toMatchObject({ ok: true });
      expect(verifyArtifactBundle(bytes, Buffer.from('other'), { trust })).toMatchObject({ ok: false });
    },
  );

  test.each(['p256-pkcs8.pem', 'p384-sec1.pem', 'rsa2048-pkcs1.pem', 'ed25519-pkcs8.pem'])(
    'has the same public key for %s as is imported here',
    async (name) => {
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'original.pem'), keyFile(name));
      const { privateKeyPem, publicKeyPem } = await importKey(
        keyFile(name),
        { what: name, newPassword: PASSWORD },
        context,
      );
      writeFileSync(join(folder, 'ours.key'), privateKeyPem);
      expect(mustRun('cosign', ['public-key', '--key', 'ours.key'], { cwd: folder, env })).toBe(publicKeyPem);
      expect(publicKeyPem).toBe(
        createPublicKey(createPrivateKey(keyFile(name))).export({ format: 'pem', type: 'spki' }),
      );
    },
  );

  test.each(['ecdsa-sha2-256-nistp256'] as const)('makes %s keys that are read here', async () => {
    const folder = temporaryFolder();
    mustRun('cosign', ['generate-key-pair'], { cwd: folder, env });
    const key = await openKey(join(folder, 'cosign.key'), {}, context);
    expect(key.publicKey.export({ format: 'pem', type: 'spki' })).toBe(
      readFileSync(join(folder, 'cosign.pub'), 'utf8'),
    );
    const wrong = testContext({ env: { COSIGN_PASSWORD: 'wrong' } });
    await expect(openKey(join(folder, 'cosign.key'), {}, wrong)).rejects.toMatchObject({ code: 'KEY_PASSWORD' });
  });

  test('speaks with the plugin that is spoken with here, and each verifies what the other signed with it', async () => {
    const folder = await workFolder('ecdsa-sha2-256-nistp256');
    writeKmsPlugin(folder);
    const PATH = [folder, process.env['PATH'] ?? ''].join(delimiter);
    const pluginEnv = { ...env, PATH, PLUGIN_KEY: keyFile('p256-pkcs8.pem') };
    const options = { cwd: folder, env: pluginEnv };
    const key = await openKey('test://slot/1', {}, testContext({ now: () => new Date(), env: pluginEnv }));
    const publicKey = key.publicKey.export({ format: 'pem', type: 'spki' }).toString();
    writeFileSync(join(folder, 'cosign.pub'), publicKey);
    expect(mustRun(cosign(), ['public-key', '--key', 'test://slot/1'], options)).toBe(publicKey);
    const args = ['--key', 'test://slot/1', '--signing-config', 'none.json', '--bundle', 'bundle.json', '-y', 'blob'];
    mustRun(cosign(), ['sign-blob', ...args], options);
    const trust = withKeys(NO_TRUST, [loadTrustedKey(Buffer.from(publicKey))]);
    const theirs = readFileSync(join(folder, 'bundle.json'));
    expect(verifyArtifactBundle(theirs, Buffer.from(BLOB), { trust, thresholds: NO_PROOFS })).toMatchObject({
      ok: true,
    });
    const signer = keySigner({ key, services: NO_SERVICES });
    const pluginContext = testContext({ now: () => new Date(), env: pluginEnv });
    writeFileSync(join(folder, 'message.json'), (await signer.signMessage(Buffer.from(BLOB), pluginContext)).bytes);
    writeFileSync(join(folder, 'statement.json'), (await signer.sign(statement(), pluginContext)).bytes);
    expect(outcomes(folder, ['--insecure-ignore-tlog'])).toEqual(AS_IT_SHOULD);
  });

  const AS_IT_SHOULD = [
    ['verified', 'verified'],
    ['rejected', 'rejected'],
  ];

  /** What becomes of both bundles with the file, and with another. */
  function outcomes(folder: string, trust: readonly string[]): readonly (readonly string[])[] {
    return ['blob', 'other'].map((file) => {
      const message = ['verify-blob', '--key', 'cosign.pub', '--bundle', 'message.json', ...trust, file];
      const attested = [
        'verify-blob-attestation',
        '--key',
        'cosign.pub',
        '--bundle',
        'statement.json',
        '--type',
        'custom',
      ];
      return [message, [...attested, ...trust, file]].map((args) => {
        const { status, stderr } = runTool('cosign', args, { cwd: folder, env });
        return status === 0 ? 'verified' : file === 'blob' ? stderr : 'rejected';
      });
    });
  }

  function services(rekorVersion: 1 | 2): WitnessServices {
    const config = parseSigningConfig(readFileSync(sandbox.signingConfigPath), 'the signing configuration');
    return chooseWitnesses(config, { rekorVersion }, context);
  }

  /** The sandbox's own, with the logs of one version only. */
  function signingConfigOf(version: 1 | 2): object {
    const config = JSON.parse(readFileSync(sandbox.signingConfigPath, 'utf8')) as {
      readonly rekorTlogUrls: readonly { readonly majorApiVersion: number }[];
    };
    return {
      ...config,
      rekorTlogUrls: config.rekorTlogUrls.filter(({ majorApiVersion }) => majorApiVersion === version),
    };
  }
});

/** The plugin is found on the PATH, which this test sets, so that cosign has to be named by its place. */
function cosign(): string {
  return mustRun('sh', ['-c', 'command -v cosign']).trim();
}

async function workFolder(algorithm: KeyAlgorithm): Promise<string> {
  const folder = temporaryFolder();
  const { privateKeyPem, publicKeyPem } = await generateKeyPair(algorithm, PASSWORD);
  const none = {
    mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
    rekorTlogConfig: { selector: 'ANY' },
    tsaConfig: { selector: 'ANY' },
  };
  const files = {
    'cosign.key': privateKeyPem,
    'cosign.pub': publicKeyPem,
    'none.json': JSON.stringify(none),
    blob: BLOB,
    other: 'another file\n',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

function statement(): Uint8Array {
  const predicate = { type: 'https://cosign.sigstore.dev/attestation/v1', json: '{"Data":"","Timestamp":""}' };
  return attestationStatement({ name: 'blob', digest: digestOf(BLOB) }, predicate);
}
