import { isDeepStrictEqual } from 'node:util';
import type { Context } from '../base/context.ts';
import { LIMITS } from '../base/limits.ts';
import { packTrustBundle, readTrustBundle } from '../trust/trust-bundle.ts';
import { isValidAt, listServices, type TrustedService } from '../trust/trusted-services.ts';
import { fetchTargets } from '../trust/tuf-repository.ts';
import { publicGoodTrustedRootJson } from '../verify/public-good.ts';
import { openTufRepository, type TufOptions } from './open-tuf-repository.ts';
import { readLocalFile } from './read-file.ts';
import { writeLocalFile } from './write-file.ts';

export interface TrustSummary {
  /** The file, or what stands for it. */
  readonly source: string;
  readonly services: readonly (TrustedService & { readonly isValid: boolean })[];
}

const BUILT_IN = 'the public-good instance, as built in';

/** What a trust bundle or trusted root names; the built-in one's when no file is given. @throws BoltsealError TRUST_ROOT_INVALID, FILE_NOT_FOUND … */
export async function showTrust(file: string | undefined, context: Context): Promise<TrustSummary> {
  const bytes = file === undefined ? publicGoodTrustedRootJson() : await readTrustFile(file);
  return summarise(file ?? BUILT_IN, bytes, context);
}

export interface BundleTrustOptions {
  readonly trustedRootFile?: string;
  readonly signingConfigFile?: string;
  readonly output: string;
}

/** Packs trusted root and signing configuration into one file. @throws BoltsealError TRUST_ROOT_INVALID, SIGNING_CONFIG_INVALID, FILE_UNWRITABLE … */
export async function bundleTrust(options: BundleTrustOptions, context: Context): Promise<TrustSummary> {
  const { trustedRootFile, signingConfigFile, output } = options;
  const root = trustedRootFile === undefined ? publicGoodTrustedRootJson() : await readTrustFile(trustedRootFile);
  const config = signingConfigFile === undefined ? undefined : await readTrustFile(signingConfigFile);
  return write(output, packTrustBundle(root, config), context);
}

export interface UpdateTrustOptions extends TufOptions {
  readonly output: string;
}

/** Gets the current trust from a TUF repository into one file. @throws BoltsealError TUF_FAILED, TUF_ROLLBACK, FILE_UNWRITABLE … */
export async function updateTrust(options: UpdateTrustOptions, context: Context): Promise<TrustSummary> {
  const { trustedRoot, signingConfig } = await fetchTargets(await openTufRepository(options, context), {}, context);
  return write(options.output, packTrustBundle(trustedRoot, signingConfig), context);
}

export interface VerifyTrustOptions extends TufOptions {
  /** Only what is remembered from the last update is asked. */
  readonly offline?: boolean;
}

/** Whether a file is what the repository says now. */
export interface TrustCheck extends TrustSummary {
  readonly isCurrent: boolean;
  readonly mirrorUrl: string;
}

/** Compares a file with what a TUF repository vouches for. @throws BoltsealError TUF_FAILED, TUF_ROLLBACK, TRUST_ROOT_INVALID … */
export async function verifyTrust(file: string, options: VerifyTrustOptions, context: Context): Promise<TrustCheck> {
  const bytes = await readTrustFile(file);
  const repository = await openTufRepository(options, context);
  const { trustedRoot } = await fetchTargets(repository, { offline: options.offline === true }, context);
  const own = readTrustBundle(bytes, file).trustedRootJson;
  const current = readTrustBundle(trustedRoot, 'the trusted root of the repository').trustedRootJson;
  return {
    ...summarise(file, bytes, context),
    isCurrent: isDeepStrictEqual(own, current),
    mirrorUrl: repository.mirrorUrl,
  };
}

async function write(output: string, text: string, context: Context): Promise<TrustSummary> {
  const summary = summarise(output, Buffer.from(text), context);
  await writeLocalFile(output, text);
  return summary;
}

function summarise(source: string, bytes: Uint8Array, context: Context): TrustSummary {
  const now = context.now();
  const services = listServices(readTrustBundle(bytes, source));
  return { source, services: services.map((service) => ({ ...service, isValid: isValidAt(service, now) })) };
}

function readTrustFile(path: string): Promise<Uint8Array> {
  return readLocalFile(path, 'the trust file', LIMITS.trustRootBytes);
}
