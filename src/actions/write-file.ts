import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { BoltsealError, messageOf } from '../base/errors.ts';

/**
 * Writes a local file whole or not at all: into a neighbour first, then renamed over the name.
 *
 * @throws BoltsealError FILE_UNWRITABLE
 */
export async function writeLocalFile(path: string, bytes: Uint8Array | string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.part`;
  try {
    await using file = await open(draft, 'wx');
    await file.writeFile(bytes);
    await file.sync();
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true });
    throw new BoltsealError('FILE_UNWRITABLE', `cannot write ${path}: ${messageOf(cause)}`, {
      hint: 'Check that the folder exists, that you may write there and that the disk is not full. Nothing was left half-written.',
      cause,
    });
  }
}
