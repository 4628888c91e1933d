import { readFile } from 'node:fs/promises';
import { BoltsealError, messageOf, systemCodeOf } from '../base/errors.ts';

/**
 * Reads a local file that the command line names.
 *
 * @throws BoltsealError FILE_NOT_FOUND, FILE_UNREADABLE, LIMIT_EXCEEDED
 */
export async function readLocalFile(path: string, what: string, maxBytes: number): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const missing = ['ENOENT', 'ENOTDIR'].includes(systemCodeOf(cause) ?? '');
    throw new BoltsealError(
      missing ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE',
      `cannot read ${what} ${path}: ${messageOf(cause)}`,
      {
        hint: missing ? 'Check the path; it is taken from the current folder.' : 'Check that you may read it.',
        cause,
      },
    );
  }
  if (bytes.length > maxBytes) {
    throw new BoltsealError('LIMIT_EXCEEDED', `${what} ${path} is ${bytes.length} bytes, more than ${maxBytes}`, {
      hint: 'Check that it is the file you mean.',
    });
  }
  return bytes;
}
