import { readFileSync } from 'node:fs';
import type { Context } from '../../src/base/context.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { startSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { chooseServices } from '../../src/sign/choose-services.ts';
import { readIdentityToken } from '../../src/sign/identity-token.ts';
import { keylessSigner } from '../../src/sign/keyless.ts';
import { parseSigningConfig } from '../../src/sign/signing-config.ts';
import { attestationStatement, signatureStatement } from '../../src/sign/statements.ts';
import { loadTrustRoot, type TrustRoot } from '../../src/verify/trust-root.ts';
import { testContext } from './context.ts';

export interface Signing {
  readonly sandbox: Sandbox;
  readonly trust: TrustRoot;
  readonly context: Context;
  /** Signs this payload as the given token claims say; a bundle's bytes. */
  readonly sign: (payload: Uint8Array, options?: SignOptions) => Promise<Uint8Array>;
}

interface SignOptions {
  readonly rekorVersion?: 1 | 2;
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** A running sandbox and a signer in it: bundles made for the test, by the real path. */
export async function startSigning(): Promise<Signing & AsyncDisposable> {
  const context = testContext({ now: () => new Date() });
  const sandbox = await startSandbox({}, context);
  const config = parseSigningConfig(readFileSync(sandbox.signingConfigPath), 'the signing configuration');
  return {
    sandbox,
    context,
    trust: loadTrustRoot(readFileSync(sandbox.trustedRootPath)),
    async sign(payload, { rekorVersion = 1, claims = {} } = {}) {
      const signer = keylessSigner({
        services: chooseServices(config, { rekorVersion }, context),
        getToken: async () => readIdentityToken(await sandbox.token(claims), { origin: 'the sandbox' }, context),
      });
      return (await signer.sign(payload, context)).bytes;
    },
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}

export function signaturePayload(digest: Digest): Uint8Array {
  return signatureStatement(digest);
}

export function bomPayload(digest: Digest, components: readonly unknown[] = []): Uint8Array {
  const json = JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', components });
  return attestationStatement(
    { name: 'registry.example.com/prod/app', digest },
    { type: 'https://cyclonedx.org/bom', json },
  );
}
