import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../base/context.ts';
import { BoltsealError, messageOf, systemCodeOf } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { asObject, asString, optional, required, ShapeError, type JsonObject } from '../../base/shape.ts';
import { digestOf, encodedOf } from '../../oci/digest.ts';
import { readError } from '../file-error.ts';
import type { TlsIdentity } from '../http.ts';
import { readTlsFolder } from './tls-folder.ts';

/** An entry of `docker context ls`. */
interface DockerContext {
  readonly name: string;
  readonly host: string;
  readonly tls: TlsIdentity | undefined;
}

/**
 * The Docker context in use, by DOCKER_CONTEXT or `docker context use`; undefined when that is the default one. Contexts are
 * in Docker's configuration folder, under the digest of their name.
 *
 * @throws BoltsealError FILE_UNREADABLE, FILE_NOT_FOUND, JSON_INVALID
 */
export async function readDockerContext({ env }: Context): Promise<DockerContext | undefined> {
  const home = env['HOME'] ?? env['USERPROFILE'] ?? '';
  const folder = env['DOCKER_CONFIG'] || (home === '' ? '' : join(home, '.docker'));
  if (folder === '') return undefined;
  const name = env['DOCKER_CONTEXT'] || (await currentContext(join(folder, 'config.json')));
  if (name === undefined || name === '' || name === 'default') return undefined;
  const id = encodedOf(digestOf(name));
  const path = join(folder, 'contexts/meta', id, 'meta.json');
  const meta = await readDocument(path);
  if (meta === undefined) {
    throw new BoltsealError('FILE_NOT_FOUND', `the Docker context "${name}" is in use, but ${path} does not exist`, {
      hint: 'Choose one of docker context ls with docker context use NAME, or set DOCKER_HOST.',
    });
  }
  const host = inDocument(path, () => {
    const endpoints = required(meta, 'Endpoints', asObject);
    return required(required(endpoints, 'docker', asObject, 'Endpoints'), 'Host', asString, 'Endpoints.docker');
  });
  const tls = await readTlsFolder(join(folder, 'contexts/tls', id, 'docker'));
  return { name, host, tls: Object.keys(tls).length === 0 ? undefined : tls };
}

async function currentContext(path: string): Promise<string | undefined> {
  const config = await readDocument(path);
  return config === undefined ? undefined : inDocument(path, () => optional(config, 'currentContext', asString));
}

async function readDocument(path: string): Promise<JsonObject | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return undefined;
    throw readError(cause, path);
  }
  const value = parseJson(bytes, { what: path, maxBytes: LIMITS.credentialFileBytes });
  return inDocument(path, () => asObject(value, 'the document'));
}

function inDocument<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof ShapeError)) throw cause;
    throw new BoltsealError('JSON_INVALID', `${path} is malformed: ${messageOf(cause)}`, {
      hint: 'Docker wrote this file; repair it, or say where the engine is with DOCKER_HOST.',
      cause,
    });
  }
}
