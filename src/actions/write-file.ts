import { randomBytes } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import { BoltsealError, messageOf, systemCodeOf } from '../base/errors.ts';

interface WriteOptions {
  /** For a secret: only its owner may read it, and a file that is there already is not replaced. */
  readonly isSecret?: boolean;
}

/**
 * Writes a local file whole or not at all: into a neighbour first, which then gets the name.
 *
 * @throws BoltsealError FILE_UNWRITABLE
 */
export async function writeLocalFile(
  path: string,
  bytes: Uint8Array | string,
  { isSecret = false }: WriteOptions = {},
): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.part`;
  try {
    await using file = await open(draft, 'wx', isSecret ? 0o600 : 0o666);
    await file.writeFile(bytes);
    await file.sync();
    // A link fails where there is a file already; a rename would replace it.
    if (isSecret) await link(draft, path);
    else await rename(draft, path);
  } catch (cause) {
    throw new BoltsealError('FILE_UNWRITABLE', `cannot write ${path}: ${messageOf(cause)}`, {
      hint:
        systemCodeOf(cause) === 'EEXIST'
          ? 'It is there already and is not replaced, since it may be the only copy. Choose another name, or move it away.'
          : 'Check that the folder exists, that you may write there and that the disk is not full. Nothing was left half-written.',
      cause,
    });
  } finally {
    await rm(draft, { force: true });
  }
}
