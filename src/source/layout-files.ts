import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { BoltsealError, systemCodeOf } from '../base/errors.ts';
import { readError } from './file-error.ts';

/** The files of an OCI image layout, in a folder or in an archive. Names are from its root, with slashes. */
export interface LayoutFiles extends AsyncDisposable {
  /** For messages: the path a person gave. */
  readonly name: string;
  /** Undefined when it is not there. */
  find(path: string): Promise<LayoutFile | undefined>;
}

export interface LayoutFile {
  /** In bytes. */
  readonly size: number;
  /** The bytes as they are stored; nobody has verified them. */
  open(): Readable;
}

/** The files of a layout in a folder. */
export function directoryFiles(root: string): LayoutFiles {
  return {
    name: root,
    find: (path) => findInDirectory(join(root, path)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function findInDirectory(path: string): Promise<LayoutFile | undefined> {
  try {
    const found = await stat(path);
    // Anything else, a pipe for one, could keep us waiting forever.
    if (!found.isFile()) throw notAFile(path);
    return { size: found.size, open: () => createReadStream(path, { highWaterMark: READ_BYTES }) };
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return undefined;
    throw readError(cause, path);
  }
}

function notAFile(path: string): BoltsealError {
  return new BoltsealError('LAYOUT_INVALID', `${path} is not a regular file`, {
    hint: 'The layout was damaged or made by hand. Make it again, for example with skopeo copy … oci:DIR.',
  });
}

const READ_BYTES = 256 * 1024;
