import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import type { FaultName } from './registry/faults/faults.ts';
import { startRegistry } from './registry/registry.ts';
import { SANDBOX_IDENTITY, type TokenClaims } from './sigstore/issuer.ts';
import { startSigstore, type SigstorePorts } from './sigstore/services.ts';
import { signingConfig, trustedRoot, type SigstoreServices } from './sigstore/trust-documents.ts';

interface SandboxOptions {
  /** Where the trust documents go; made when it is not there, and kept. By default a temporary one that is removed. */
  readonly directory?: string;
  /** False for a registry without the referrers API, to try the tag fallback. */
  readonly referrersApi?: boolean;
  /** Descriptors on one page of a listing of referrers. */
  readonly referrersPerPage?: number;
  /** What the registry does wrong, or to attack; it is honest unless told. */
  readonly faults?: readonly FaultName[];
  /**
   * What identity tokens say of who made them: a name of its own, so that a policy can be written before the sandbox runs.
   * By default the address of the sandbox's issuer.
   */
  readonly issuer?: string;
  /** A free port where none is given. */
  readonly ports?: SigstorePorts & { readonly registry?: number };
}

/** A registry and a Sigstore instance on loopback, running until disposed of. Nothing in it outlives the process. */
export interface Sandbox extends AsyncDisposable {
  /** `127.0.0.1:PORT`, speaking plain HTTP. */
  readonly registry: string;
  /** Whom tokens are minted for unless another `sub` is asked for, and who mints them: for policies. */
  readonly identity: string;
  readonly issuer: string;
  readonly trustedRootPath: string;
  readonly signingConfigPath: string;
  readonly services: SigstoreServices;
  /** A new identity token, valid for an hour unless the claims say otherwise. */
  readonly token: (claims?: TokenClaims) => Promise<string>;
  /** What a command needs in its environment to use the sandbox. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Starts the sandbox. It is strict where the real services are: tokens, proofs of possession and signatures are checked,
 * logs grow and can be audited, the registry follows the OCI distribution specification 1.1.1.
 * All its clocks are `context.now()`, which must not be behind the machine's, since certificates begin at the start.
 *
 * @throws BoltsealError SANDBOX_UNAVAILABLE, FILE_UNWRITABLE
 */
export async function startSandbox(options: SandboxOptions, context: Context): Promise<Sandbox> {
  await using started = new AsyncDisposableStack();
  const temporary = await mkdtemp(join(tmpdir(), 'boltseal-sandbox-'));
  started.defer(() => rm(temporary, { recursive: true, force: true }));
  const { directory = temporary, ports = {}, issuer, ...registryOptions } = options;
  const services = started.use(await startSigstore({ ports, ...(issuer === undefined ? {} : { issuer }) }, context));
  const registry = started.use(
    await startRegistry(
      { ...registryOptions, directory: join(temporary, 'registry'), port: ports.registry ?? 0 },
      context,
    ),
  );
  const trustedRootPath = await writeJson(directory, 'trusted_root.json', trustedRoot(services, context));
  const signingConfigPath = await writeJson(directory, 'signing_config.json', signingConfig(services, context));
  const environment = {
    BOLTSEAL_TRUSTED_ROOT: trustedRootPath,
    BOLTSEAL_SIGNING_CONFIG: signingConfigPath,
    BOLTSEAL_SANDBOX_REGISTRY: registry.host,
    BOLTSEAL_SANDBOX_ISSUER: services.issuer.issuer,
    BOLTSEAL_SANDBOX_IDENTITY: SANDBOX_IDENTITY,
    SIGSTORE_ID_TOKEN: await services.issuer.mint(),
  };
  const running = started.move();
  return {
    registry: registry.host,
    identity: SANDBOX_IDENTITY,
    issuer: services.issuer.issuer,
    trustedRootPath,
    signingConfigPath,
    services,
    token: services.issuer.mint,
    environment,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function writeJson(directory: string, name: string, value: object): Promise<string> {
  const path = join(directory, name);
  try {
    await mkdir(directory, { recursive: true });
    await writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`);
    return path;
  } catch (cause) {
    throw new BoltsealError('FILE_UNWRITABLE', `the sandbox cannot write ${path}`, {
      hint: 'Choose a folder that can be written to.',
      cause,
    });
  }
}
