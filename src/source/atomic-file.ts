import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Context } from '../base/context.ts';
import { writeError } from './file-error.ts';

interface AtomicOptions {
  /** Looks at the bytes on their way; when it fails, nothing appears. */
  readonly check?: Transform;
  /** Permissions of the file; readable by all when absent. */
  readonly mode?: number;
}

/**
 * Writes a file that appears whole or not at all: to a temporary name beside it, then synced, then renamed. The folder is
 * made when it is missing.
 *
 * @throws BoltsealError FILE_UNWRITABLE, and what `check` or the content fails with
 */
export async function writeFileAtomically(
  path: string,
  content: Readable | Uint8Array,
  options: AtomicOptions,
  context: Context,
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${randomBytes(9).toString('base64url')}.partial`);
  let contentError: unknown;
  if (!(content instanceof Uint8Array)) content.once('error', (error) => (contentError = error));
  try {
    await mkdir(folder, { recursive: true });
    const file = await open(temporary, 'wx', options.mode ?? 0o644);
    try {
      const source = content instanceof Uint8Array ? Readable.from([content]) : content;
      const sink = file.createWriteStream({ flush: true });
      await pipeline([source, ...(options.check === undefined ? [] : [options.check]), sink], {
        signal: context.signal,
      });
    } finally {
      await file.close().catch(() => {});
    }
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (cause) {
    if (!(content instanceof Uint8Array)) content.destroy();
    await rm(temporary, { force: true }).catch(() => {});
    // A source that breaks off is not a disk that is full.
    throw cause === contentError ? cause : writeError(cause, path);
  }
}

/** Makes a rename last through a power cut. Some systems cannot open a folder; they sync it themselves. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  try {
    await handle?.sync().catch(() => {});
  } finally {
    await handle?.close();
  }
}
