import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../../base/errors.ts';
import { readError } from '../file-error.ts';
import type { TlsIdentity } from '../http.ts';

/** `ca.pem`, `cert.pem` and `key.pem` of a folder, each only when it is there. @throws BoltsealError FILE_UNREADABLE */
export async function readTlsFolder(folder: string): Promise<TlsIdentity> {
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readPem(join(folder, name))),
  );
  return {
    ...(ca === undefined ? {} : { ca: [ca] }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

async function readPem(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return undefined;
    throw readError(cause, path);
  }
}
