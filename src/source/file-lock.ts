import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, utimes, writeFile, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../base/context.ts';
import { BoltsealError, systemCodeOf } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { writeError } from './file-error.ts';

/**
 * Runs `work` while nobody else holds the lock file at `path`. A holder shows every second that it is alive by touching the file;
 * one that did not for LIMITS.lockStaleMs is taken for dead and its lock taken over. No clock is compared with another's: what
 * counts is whether the file changed while we watched.
 *
 * @throws BoltsealError FILE_UNWRITABLE after LIMITS.lockWaitMs, or when the folder cannot be written; and what `work` throws
 */
export async function withFileLock<T>(path: string, work: () => Promise<T>, context: Context): Promise<T> {
  const token = randomBytes(16).toString('hex');
  await acquire(path, token, context);
  const beating = new AbortController();
  const heartbeat = keepAlive(path, beating.signal);
  try {
    return await work();
  } finally {
    beating.abort();
    await heartbeat;
    await release(path, token);
  }
}

async function acquire(path: string, token: string, context: Context): Promise<void> {
  let seen: string | undefined;
  let unchangedMs = 0;
  for (let waitedMs = 0; waitedMs < LIMITS.lockWaitMs; waitedMs += RETRY_MS) {
    if (await tryCreate(path, token)) return;
    const state = await stateOf(path);
    unchangedMs = state === seen ? unchangedMs + RETRY_MS : 0;
    seen = state;
    if (state !== undefined && unchangedMs >= LIMITS.lockStaleMs) await breakLock(path, state);
    await sleep(RETRY_MS, undefined, { signal: context.signal });
  }
  throw new BoltsealError('FILE_UNWRITABLE', `another writer holds ${path} and did not let go of it`, {
    hint: `Wait for it to finish. If no boltseal runs here, delete ${path}.`,
  });
}

async function tryCreate(path: string, token: string): Promise<boolean> {
  try {
    await writeFile(path, token, { flag: 'wx' });
    return true;
  } catch (cause) {
    if (systemCodeOf(cause) === 'EEXIST') return false;
    throw writeError(cause, path);
  }
}

/** Who holds the lock and when they last showed it; undefined when nobody does. */
async function stateOf(path: string): Promise<string | undefined> {
  try {
    return `${await readFile(path, 'utf8')} ${(await stat(path)).mtimeMs}`;
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return undefined;
    throw writeError(cause, path);
  }
}

/** Of several who find the lock dead, one moves it away; whoever finds that it changed since puts it back. */
async function breakLock(path: string, state: string): Promise<void> {
  const grave = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    if ((await stateOf(path)) !== state) return;
    await rename(path, grave);
    if ((await stateOf(grave)) === state) await rm(grave, { force: true });
    else await rename(grave, path);
  } catch (cause) {
    if (systemCodeOf(cause) !== 'ENOENT') throw writeError(cause, path);
  }
}

async function keepAlive(path: string, signal: AbortSignal): Promise<void> {
  for (let beat = 1; !signal.aborted; beat += 1) {
    await sleep(BEAT_MS, undefined, { signal }).catch(() => {});
    // A time that only has to differ from the one before; nobody reads a clock from it.
    if (!signal.aborted) await utimes(path, beat, beat).catch(() => {});
  }
}

/** A lock that was taken over in the meantime is not ours to remove. */
async function release(path: string, token: string): Promise<void> {
  const holder = await readFile(path, 'utf8').catch(() => undefined);
  if (holder === token) await rm(path, { force: true }).catch(() => {});
}

const RETRY_MS = 20;
const BEAT_MS = 1000;
