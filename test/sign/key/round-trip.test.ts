import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { startSandbox, type Sandbox } from '../../../src/sandbox/sandbox.ts';
import { chooseWitnesses } from '../../../src/sign/choose-services.ts';
import { keySigner } from '../../../src/sign/key/key-signer.ts';
import { readPrivateKey } from '../../../src/sign/key/private-key.ts';
import { localKey, type SigningKey } from '../../../src/sign/key/signing-key.ts';
import { parseSigningConfig, type WitnessServices } from '../../../src/sign/signing-config.ts';
import { signatureStatement } from '../../../src/sign/statements.ts';
import { verifyArtifactBundle } from '../../../src/verify/artifact.ts';
import { loadTrustedKey, loadTrustRoot, withKeys, type TrustRoot } from '../../../src/verify/trust-root.ts';
import { verifyBundle } from '../../../src/verify/verifier.ts';
import { testContext } from '../../support/context.ts';
import { keyFile } from '../../support/keys.ts';

const context = testContext({ now: () => new Date() });
const subject = digestOf('an image');
const file = Buffer.from('a file');
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({}, context);
});
afterAll(() => sandbox[Symbol.asyncDispose]());

const NAMES = ['p256-pkcs8.pem', 'p384-sec1.pem', 'p521-pkcs8.pem', 'rsa2048-pkcs1.pem', 'rsa3072-pkcs8.pem'] as const;
const CASES = NAMES.flatMap((name) => ([1, 2] as const).map((version) => ({ name, version })));

describe.each(CASES)('what is signed with $name and logged in Rekor v$version', ({ name, version }) => {
  test('verifies as a statement about its image and no other, by its key and no other', async () => {
    const key = await open(name);
    const { bytes } = await keySigner({ key, services: services(version) }).sign(signatureStatement(subject), context);
    const trust = trusting(key);
    expect(verifyBundle({ bytes }, subject, { trust })).toMatchObject({ ok: true });
    expect(verifyBundle({ bytes }, digestOf('another'), { trust })).toMatchObject({ ok: false });
    expect(verifyBundle({ bytes }, subject, { trust: trusting(await open('ed25519-pkcs8.pem')) })).toMatchObject({
      ok: false,
      rejection: { code: 'KEY_UNKNOWN' },
    });
  });

  test('verifies as a message, and not when a byte of it is another', async () => {
    const key = await open(name);
    const { bytes } = await keySigner({ key, services: services(version) }).signMessage(file, context);
    const trust = trusting(key);
    expect(verifyArtifactBundle(bytes, file, { trust })).toMatchObject({ ok: true });
    expect(verifyArtifactBundle(bytes, Buffer.from('a filf'), { trust })).toMatchObject({ ok: false });
  });
});

test('a statement signed with Ed25519 and logged in Rekor v1 verifies', async () => {
  const key = await open('ed25519-pkcs8.pem');
  const { bytes } = await keySigner({ key, services: services(1) }).sign(signatureStatement(subject), context);
  expect(verifyBundle({ bytes }, subject, { trust: trusting(key) })).toMatchObject({ ok: true });
});

test('without log and timestamp a signature verifies only for who asks for neither', async () => {
  const key = await open('p256-pkcs8.pem');
  const nowhere = { rekor: [], timestampAuthorities: [] };
  const { bytes } = await keySigner({ key, services: nowhere }).sign(signatureStatement(subject), context);
  const trust = trusting(key);
  expect(verifyBundle({ bytes }, subject, { trust, thresholds: { logEntries: 0, times: 0 } })).toMatchObject({
    ok: true,
  });
  expect(verifyBundle({ bytes }, subject, { trust, thresholds: { logEntries: 0 } })).toMatchObject({ ok: false });
  expect(verifyBundle({ bytes }, subject, { trust, thresholds: { times: 0 } })).toMatchObject({ ok: false });
});

function trusting({ publicKey }: SigningKey): TrustRoot {
  const pem = publicKey.export({ format: 'pem', type: 'spki' });
  return withKeys(loadTrustRoot(readFileSync(sandbox.trustedRootPath)), [loadTrustedKey(Buffer.from(pem))]);
}

async function open(name: string): Promise<SigningKey> {
  return localKey(await readPrivateKey(keyFile(name), { what: name }, context), name);
}

function services(rekorVersion: 1 | 2): WitnessServices {
  const config = parseSigningConfig(readFileSync(sandbox.signingConfigPath), 'the signing configuration');
  return chooseWitnesses(config, { rekorVersion }, context);
}
