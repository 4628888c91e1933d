import { readFileSync } from 'node:fs';
import { bundleFromJSON, type SerializedBundle } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { chooseServices } from '../../src/sign/choose-services.ts';
import { readIdentityToken } from '../../src/sign/identity-token.ts';
import { keylessSigner } from '../../src/sign/keyless.ts';
import type { SignedBundle, StatementSigner } from '../../src/sign/signer.ts';
import { parseSigningConfig } from '../../src/sign/signing-config.ts';
import { signatureStatement } from '../../src/sign/statements.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { testContext } from '../support/context.ts';

const context = testContext({ now: () => new Date() });
const statement = signatureStatement(digestOf('an image'));
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({}, context);
});
afterAll(() => sandbox[Symbol.asyncDispose]());

describe.for([1, 2] as const)('signing with Rekor v%i', (rekorVersion) => {
  test('gives a bundle that verifies against the trusted root', async () => {
    const signed = await signer({ rekorVersion }).sign(statement, context);
    expect(verify(signed)).toBe(sandbox.identity);
    expect(signed.signer).toEqual({ kind: 'certificate', identity: sandbox.identity, issuer: sandbox.issuer });
    expect(signed.logEntries).toHaveLength(1);
    expect(Math.abs(signed.signedAt.getTime() - Date.now())).toBeLessThan(60_000);
  });

  test('gives a bundle that no longer verifies with another payload', async () => {
    const signed = await signer({ rekorVersion }).sign(statement, context);
    const bundle = parse(signed);
    const payload = Buffer.from(signatureStatement(digestOf('another image'))).toString('base64');
    const changed = { ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, payload } };
    expect(() => verify({ ...signed, bytes: Buffer.from(JSON.stringify(changed)) })).toThrow(/./);
  });
});

function signer({ rekorVersion }: { rekorVersion: 1 | 2 }): StatementSigner {
  const config = parseSigningConfig(readFileSync(sandbox.signingConfigPath), 'the signing configuration');
  return keylessSigner({
    services: chooseServices(config, { rekorVersion }, context),
    getToken: async () => readIdentityToken(await sandbox.token(), 'the sandbox', context),
  });
}

function parse(signed: SignedBundle): SerializedBundle & { dsseEnvelope: object } {
  return JSON.parse(Buffer.from(signed.bytes).toString()) as SerializedBundle & { dsseEnvelope: object };
}

function verify(signed: SignedBundle): string | undefined {
  const root = TrustedRoot.fromJSON(JSON.parse(readFileSync(sandbox.trustedRootPath, 'utf8')));
  const bundle = bundleFromJSON(JSON.parse(Buffer.from(signed.bytes).toString()));
  return new Verifier(toTrustMaterial(root)).verify(toSignedEntity(bundle)).identity?.subjectAlternativeName;
}
