import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { parseSigningConfig } from '../../src/sign/signing-config.ts';
import { testContext } from '../support/context.ts';

const context = testContext({ now: () => new Date() });
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({}, context);
});
afterAll(() => sandbox[Symbol.asyncDispose]());

describe('the sandbox', () => {
  test('puts what a command needs into its environment', async () => {
    const { environment } = sandbox;
    expect(environment).toMatchObject({
      BOLTSEAL_TRUSTED_ROOT: sandbox.trustedRootPath,
      BOLTSEAL_SIGNING_CONFIG: sandbox.signingConfigPath,
      BOLTSEAL_SANDBOX_REGISTRY: sandbox.registry,
      BOLTSEAL_SANDBOX_ISSUER: sandbox.issuer,
      BOLTSEAL_SANDBOX_IDENTITY: sandbox.identity,
    });
    expect((await fetch(`http://${sandbox.registry}/v2/`)).status).toBe(200);
    expect(decodeJwt(environment['SIGSTORE_ID_TOKEN'] ?? '')).toMatchObject({
      iss: sandbox.issuer,
      sub: sandbox.identity,
      aud: 'sigstore',
    });
  });

  test('writes a trusted root and a signing configuration of its services', async () => {
    const { services } = sandbox;
    const text = await readFile(sandbox.trustedRootPath, 'utf8');
    const root = TrustedRoot.fromJSON(JSON.parse(text));
    expect(root.mediaType).toBe('application/vnd.dev.sigstore.trustedroot+json;version=0.1');
    expect(root.tlogs.map(({ logId }) => logId?.keyId)).toEqual([services.rekorV1.key.id, services.rekorV2.key.id]);
    expect(root.timestampAuthorities[0]?.certChain?.certificates).toHaveLength(2);
    const config = parseSigningConfig(await readFile(sandbox.signingConfigPath), 'the signing configuration');
    expect(config.rekor.map(({ majorApiVersion }) => majorApiVersion)).toEqual([2, 1]);
    expect(config.issuers[0]?.url).toBe(sandbox.issuer);
  });

  test('mints tokens over HTTP too, that its published keys verify', async () => {
    const discovery = `${sandbox.issuer}/.well-known/openid-configuration`;
    const { jwks_uri: keys } = (await (await fetch(discovery)).json()) as { jwks_uri: string };
    const asked = `${sandbox.issuer}/token?audience=vault&sub=https://ci.example/job`;
    const { value } = (await (await fetch(asked)).json()) as { value: string };
    const { payload } = await jwtVerify(value, createRemoteJWKSet(new URL(keys)), { audience: 'vault' });
    expect(payload.sub).toBe('https://ci.example/job');
  });

  test('listens on loopback only', () => {
    const { issuer, fulcio, rekorV1, rekorV2, timestampAuthority } = sandbox.services;
    for (const { url } of [issuer, fulcio, rekorV1, rekorV2, timestampAuthority])
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  test('leaves nothing behind: no listener, no file', async () => {
    const other = await startSandbox({}, context);
    await other[Symbol.asyncDispose]();
    expect(existsSync(dirname(other.trustedRootPath))).toBe(false);
    await expect(fetch(`http://${other.registry}/v2/`)).rejects.toThrow('fetch failed');
    await expect(fetch(`${other.issuer}/jwks`)).rejects.toThrow('fetch failed');
  });

  test('keeps its documents in the folder it was given', async () => {
    const directory = join(mkdtempSync(join(tmpdir(), 'boltseal-test-')), 'made');
    const other = await startSandbox({ directory }, context);
    await other[Symbol.asyncDispose]();
    expect(existsSync(join(directory, 'trusted_root.json'))).toBe(true);
    rmSync(dirname(directory), { recursive: true });
  });

  test('says so when its port is taken, and stops what it had started', async () => {
    const taken = Number(new URL(`http://${sandbox.registry}`).port);
    const started = startSandbox({ ports: { registry: taken } }, context);
    await expect(started).rejects.toMatchObject({ code: 'SANDBOX_UNAVAILABLE', hint: /another/ });
  });
});
