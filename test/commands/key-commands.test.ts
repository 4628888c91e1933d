import { createPrivateKey, createPublicKey } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { verifyArtifactBundle, type ArtifactVerification } from '../../src/verify/artifact.ts';
import { loadTrustedKey, loadTrustRoot, withKeys } from '../../src/verify/trust-root.ts';
import { boltseal, type Ran } from '../support/cli.ts';
import { testContext } from '../support/context.ts';
import { buildImage, buildLayer, writeLayout } from '../support/image-builder.ts';
import { KEY_PASSWORD, keyFile, keyPath } from '../support/keys.ts';
import { pushLayout } from '../support/push.ts';

let sandbox: Sandbox;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'boltseal-keys-'));
  sandbox = await startSandbox({}, testContext({ now: () => new Date() }));
  writeFileSync(at('file'), 'a file');
  writeFileSync(at('predicate.json'), '{"builder":{"id":"b"}}');
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const at = (name: string): string => join(folder, name);
const withPassword = { COSIGN_PASSWORD: KEY_PASSWORD };
const run = (argv: readonly string[], env: Readonly<Record<string, string>> = withPassword): Promise<Ran> =>
  boltseal(argv, { env: { ...sandbox.environment, ...env } });

describe('generate-key-pair', () => {
  test('writes a key only its owner can read, and never over another', async () => {
    const first = await run(['generate-key-pair', '--output-key-prefix', at('made'), '--format', 'json']);
    expect(first.exitCode).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({
      kind: 'KeyPairResult',
      keyPair: { algorithm: 'ecdsa-sha2-256-nistp256', privateKeyFile: at('made.key'), publicKeyFile: at('made.pub') },
    });
    expect(statSync(at('made.key')).mode & 0o777).toBe(0o600);
    const before = readFileSync(at('made.key'), 'utf8');
    const again = await run(['generate-key-pair', '--output-key-prefix', at('made')]);
    expect(again).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('FILE_UNWRITABLE') });
    expect(readFileSync(at('made.key'), 'utf8')).toBe(before);
    expect((await run(['public-key', '--key', at('made.key')])).stdout).toBe(readFileSync(at('made.pub'), 'utf8'));
  });

  test('without a password writes nothing', async () => {
    const ran = await run(['generate-key-pair', '--output-key-prefix', at('open')], {});
    expect(ran).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('KEY_PASSWORD') });
    expect(existsSync(at('open.key'))).toBe(false);
  });
});

describe('import-key-pair', () => {
  test('takes over a key, and refuses one that could not sign', async () => {
    const imported = ['import-key-pair', '--output-key-prefix', at('imported'), '--key'];
    expect((await run([...imported, keyPath('rsa1024-pkcs8.pem')])).stderr).toContain('KEY_INVALID');
    expect((await run([...imported, keyPath('p384-sec1.pem')])).exitCode).toBe(0);
    const original = createPublicKey(createPrivateKey(keyFile('p384-sec1.pem')));
    expect(createPublicKey(readFileSync(at('imported.pub'))).equals(original)).toBe(true);
  });
});

describe('sign-blob and attest-blob', () => {
  const bundle = (): string => at('bundle.json');
  const verified = (content: string, publicKey = keyFile('cosign-p256.pub')): ArtifactVerification => {
    const trust = withKeys(loadTrustRoot(readFileSync(sandbox.trustedRootPath)), [
      loadTrustedKey(Buffer.from(publicKey)),
    ]);
    return verifyArtifactBundle(readFileSync(bundle()), Buffer.from(content), { trust });
  };

  test('sign a file with a key', async () => {
    const args = ['sign-blob', at('file'), '--key', keyPath('cosign-p256.key'), '--bundle', bundle()];
    expect(await run(args)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/signed by ecdsa-sha2-256-nistp256 key sha256:[0-9a-f]{64}, log/),
    });
    expect(verified('a file')).toMatchObject({ ok: true });
    expect(verified('another file')).toMatchObject({ ok: false });
  });

  test('sign a statement about a file with a key', async () => {
    const about = ['--type', 'https://example.com/p', '--predicate', at('predicate.json'), '--format', 'json'];
    const args = ['attest-blob', at('file'), '--key', keyPath('cosign-p256.key'), '--bundle', bundle(), ...about];
    expect(await run(args)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('"kind": "SignBlobResult"') });
    expect(verified('a file')).toMatchObject({ ok: true });
    expect(verified('another file')).toMatchObject({ ok: false });
  });

  test('sign with an identity, too', async () => {
    expect(await run(['sign-blob', at('file'), '--bundle', bundle()])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(sandbox.identity),
    });
    expect(verified('a file')).toMatchObject({ ok: true, signature: { signer: { kind: 'certificate' } } });
    expect(verified('another file')).toMatchObject({ ok: false });
  });

  test('say what is lost without log and timestamp', async () => {
    const args = ['sign-blob', at('file'), '--key', keyPath('cosign-p256.key'), '--bundle', bundle()];
    const ran = await run([...args, '--no-tlog', '--no-timestamp']);
    expect(ran).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/no transparency log[\s\S]*no timestamp/) });
    expect(verified('a file')).toMatchObject({ ok: false });
  });

  test.each([
    [['--no-tlog'], 'USAGE'],
    [['--no-timestamp'], 'USAGE'],
    [['--certificate', 'x'], 'USAGE'],
    [['--key', 'x', '--certificate-chain', 'y'], 'USAGE'],
    [['--key', 'x', '--identity-token', 'y'], 'USAGE'],
    [['--key', 'no-such-file'], 'FILE_NOT_FOUND'],
  ])('refuse %j', async (flags, code) => {
    const ran = await run(['sign-blob', at('file'), '--bundle', at('none.json'), ...flags]);
    expect(ran).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining(`error ${code}`) });
    expect(existsSync(at('none.json'))).toBe(false);
  });

  test('need a file that is there', async () => {
    const args = ['sign-blob', at('absent'), '--key', keyPath('cosign-p256.key'), '--bundle', at('none.json')];
    expect(await run(args)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('FILE_NOT_FOUND') });
  });
});

test('an image signed with a key is allowed by a policy that trusts the key, and denied by one that trusts another', async () => {
  writeLayout(at('layout'), [{ image: buildImage({ layers: [buildLayer([{ path: 'a', body: 'b' }])] }), tag: 'v1' }]);
  const image = await pushLayout(at('layout'), `${sandbox.registry}/signed:v1`);
  const signed = await run(['sign', image, '--key', keyPath('cosign-p256.key')]);
  expect(signed).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('by ecdsa-sha2-256-nistp256 key sha256:'),
  });
  expect((await run(['verify', image, '--policy', policy('right', keyFile('cosign-p256.pub'))])).exitCode).toBe(0);
  const other = createPublicKey(createPrivateKey(keyFile('p256-pkcs8.pem')));
  const wrong = policy('wrong', other.export({ format: 'pem', type: 'spki' }).toString());
  expect((await run(['verify', image, '--policy', wrong])).exitCode).toBe(1);
});

function policy(name: string, publicKey: string): string {
  writeFileSync(at(`${name}.pub`), publicKey);
  const text = `apiVersion: boltseal.dev/v1
kind: ImagePolicy
metadata: { name: ${name} }
images: ["${sandbox.registry}/**"]
signers:
  release: { key: ${name}.pub }
require:
  - id: signed
    signature: { by: release }
`;
  writeFileSync(at(`${name}.yaml`), text);
  return at(`${name}.yaml`);
}
