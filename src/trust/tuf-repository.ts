import { join } from 'node:path';
import type { Fetcher, TargetFile, Updater } from 'tuf-js';
import type { Context } from '../base/context.ts';
import { BoltsealError, isBoltsealError, messageOf } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { openWorkingCopy } from './working-copy.ts';

/** A TUF repository (TUF specification 1.0) that hands out a Sigstore's trusted root and signing configuration. */
export interface TufRepository {
  readonly mirrorUrl: string;
  /** The root.json that everything else is trusted by, where nothing is remembered yet. */
  readonly root: Uint8Array;
  /** Where signed metadata is remembered from one time to the next: without it an old state cannot be told from a new one. */
  readonly cacheFolder: string;
}

export interface TufTargets {
  readonly trustedRoot: Buffer;
  /** Absent when the repository has none. */
  readonly signingConfig?: Buffer;
  /** False when the cache could not be written: the next run knows no more than this one did. */
  readonly isRemembered: boolean;
}

const TRUSTED_ROOT = 'trusted_root.json';
const SIGNING_CONFIG = 'signing_config.v0.2.json';

/**
 * Brings the metadata up to date, and returns the targets it vouches for. Offline, what is remembered must still be valid.
 * All is done in a copy of the cache, so that a run that ends early leaves nothing half-written.
 *
 * @throws BoltsealError TUF_FAILED, TUF_ROLLBACK, INTERRUPTED
 */
export async function fetchTargets(
  repository: TufRepository,
  { offline = false }: { readonly offline?: boolean },
  context: Context,
): Promise<TufTargets> {
  await using copy = await openWorkingCopy(repository);
  const isRemembered = async (): Promise<boolean> => (offline ? true : copy.save(context));
  try {
    const updater = await makeUpdater(repository.mirrorUrl, copy.folder, offline);
    await interruptible(updater.refresh(), context);
    const trustedRoot = await readTarget(updater, TRUSTED_ROOT, { copy, context });
    const signingConfig = await readTarget(updater, SIGNING_CONFIG, { copy, context });
    if (trustedRoot === undefined) throw new Error(`it has no target ${TRUSTED_ROOT}`);
    return {
      trustedRoot,
      ...(signingConfig === undefined ? {} : { signingConfig }),
      isRemembered: await isRemembered(),
    };
  } catch (cause) {
    // What was verified before the failure is remembered all the same: it is how the next rollback is noticed.
    await isRemembered();
    if (isBoltsealError(cause)) throw cause;
    throw tufError(repository.mirrorUrl, cause, offline);
  }
}

async function makeUpdater(mirrorUrl: string, folder: string, offline: boolean): Promise<Updater> {
  const tuf = await import('tuf-js');
  const base = mirrorUrl.replace(/\/+$/, '');
  return new tuf.Updater({
    metadataDir: folder,
    targetDir: join(folder, 'targets'),
    metadataBaseUrl: base,
    targetBaseUrl: `${base}/targets`,
    config: { fetchTimeout: LIMITS.tufTimeoutMs, targetsMaxLength: LIMITS.trustRootBytes },
    ...(offline ? { forceCache: true, fetcher: NO_NETWORK } : {}),
  });
}

const refuse = (url: string): Promise<never> => Promise.reject(new Error(`${url} is not remembered`));
const NO_NETWORK: Fetcher = { downloadFile: refuse, downloadBytes: refuse };

interface Reading {
  readonly copy: { readonly readTarget: (path: string) => Promise<Buffer> };
  readonly context: Context;
}

async function readTarget(updater: Updater, name: string, { copy, context }: Reading): Promise<Buffer | undefined> {
  const target = await interruptible(updater.getTargetInfo(name), context);
  if (target === undefined) return undefined;
  checkLength(target);
  const path =
    (await updater.findCachedTarget(target)) ?? (await interruptible(updater.downloadTarget(target), context));
  return copy.readTarget(path);
}

function checkLength({ path, length }: TargetFile): void {
  if (length > LIMITS.trustRootBytes)
    throw new Error(`the target ${path} is ${length} bytes, more than ${LIMITS.trustRootBytes}`);
}

/** tuf-js takes no signal: what it does is left to end by itself, and its result is not used. */
async function interruptible<T>(work: Promise<T>, { signal }: Context): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void =>
    aborted.reject(
      new BoltsealError('INTERRUPTED', 'the update was interrupted', { hint: 'Nothing was changed; run it again.' }),
    );
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The library tells a version that went back by its class, which it does not export and turns into text on the way. */
const ROLLBACK = /BadVersionError|is less than current version|Missing file \S+ in new snapshot/;

function tufError(mirrorUrl: string, cause: unknown, offline: boolean): BoltsealError {
  const said = `${cause instanceof Error ? cause.constructor.name : ''} ${messageOf(cause)}`;
  if (ROLLBACK.test(said))
    return new BoltsealError(
      'TUF_ROLLBACK',
      `${mirrorUrl} offers an older state than was seen before: ${messageOf(cause)}`,
      {
        hint: 'Somebody may be holding back updates. Use another mirror; nothing was taken over.',
        cause,
      },
    );
  return new BoltsealError('TUF_FAILED', `nothing could be learned from ${mirrorUrl}: ${messageOf(cause)}`, {
    hint: offline
      ? 'Run boltseal trust update while there is a network; what is remembered has expired or is not there.'
      : 'Check the mirror’s URL, its root (--root) and the clock; nothing was taken over.',
    cause,
  });
}
