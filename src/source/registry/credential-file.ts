import { readFile } from 'node:fs/promises';
import type { Context } from '../../base/context.ts';
import { BoltsealError, messageOf, systemCodeOf } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { asObject, asString, asStringMap, optional, type JsonObject } from '../../base/shape.ts';
import { normaliseHost } from '../../oci/reference.ts';
import { credentialPaths, type CredentialPlace } from './credential-paths.ts';
import type { Credential } from './credential.ts';

/** Docker's config.json, and containers-auth.json(5), which is the same with path prefixes as keys. */
export interface CredentialFile {
  readonly name: string;
  /** Normalised `host[/path]` → entry. */
  readonly auths: ReadonlyMap<string, JsonObject>;
  /** Normalised host → helper. */
  readonly credHelpers: ReadonlyMap<string, string>;
  readonly credsStore?: string;
}

/**
 * The credential files of this user that exist, in the order in which they are asked; `named` alone when given.
 *
 * @throws BoltsealError CREDENTIALS_INVALID
 */
export async function readCredentialFiles(
  named: string | undefined,
  context: Context,
): Promise<readonly CredentialFile[]> {
  const inline = named === undefined ? context.env['DOCKER_AUTH_CONFIG'] : undefined;
  const files = await Promise.all(credentialPaths(named, context).map(readCredentialFile));
  return [
    ...(inline === undefined || inline === '' ? [] : [parseCredentialFile(Buffer.from(inline), INLINE)]),
    ...files.filter((file) => file !== undefined),
  ];
}

const INLINE = 'the variable DOCKER_AUTH_CONFIG';

async function readCredentialFile({ path, mustExist }: CredentialPlace): Promise<CredentialFile | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    if (!mustExist && ['ENOENT', 'ENOTDIR'].includes(systemCodeOf(cause) ?? '')) return undefined;
    throw credentialsInvalid(path, messageOf(cause), cause);
  }
  return parseCredentialFile(bytes, path);
}

/** @throws BoltsealError CREDENTIALS_INVALID */
export function parseCredentialFile(bytes: Uint8Array, name: string): CredentialFile {
  try {
    const object = asObject(parseJson(bytes, { what: name, maxBytes: LIMITS.credentialFileBytes }), 'the file');
    const auths = Object.entries(optional(object, 'auths', asObject) ?? {});
    const helpers = Object.entries(optional(object, 'credHelpers', asStringMap) ?? {});
    const credsStore = optional(object, 'credsStore', asString);
    return {
      name,
      auths: firstWins(auths.map(([key, entry]) => [credentialKey(key), asObject(entry, `auths["${key}"]`)])),
      credHelpers: firstWins(helpers.map(([key, helper]) => [credentialKey(key), helper])),
      ...(credsStore === undefined || credsStore === '' ? {} : { credsStore }),
    };
  } catch {
    // No cause: the parser's message quotes the text, and the text holds passwords.
    throw credentialsInvalid(name, 'it is not the JSON that Docker and podman write');
  }
}

function firstWins<T>(entries: readonly (readonly [string, T])[]): ReadonlyMap<string, T> {
  return new Map(entries.toReversed());
}

/**
 * `https://index.docker.io/v1/` → `docker.io`, `https://ghcr.io/v2/` → `ghcr.io`, `quay.io/acme` → `quay.io/acme`.
 * With a scheme it is a server's address, whose path is no namespace; without, the path is a prefix of repositories.
 */
export function credentialKey(key: string): string {
  const [, scheme, host = '', path = ''] = /^([a-z]+:\/\/)?([^/]*)(.*)$/i.exec(key) ?? [];
  const isAddress = scheme !== undefined || /^\/v[12]\/?$/.test(path);
  return normaliseHost(host) + (isAddress ? '' : path.replace(/\/+$/, ''));
}

/** What an entry of `auths` holds; undefined for an empty one, which Docker leaves behind when a store has the secret. */
export function readAuthEntry(entry: JsonObject, where: string): Credential | undefined {
  try {
    const text = (key: string): string => optional(entry, key, asString) ?? '';
    const [username, password] = splitAuth(text('auth')) ?? [text('username'), text('password')];
    if (text('registrytoken') !== '') return { kind: 'registry-token', token: text('registrytoken') };
    if (text('identitytoken') !== '')
      return { kind: 'identity-token', token: text('identitytoken'), ...(username === '' ? {} : { username }) };
    return username === '' && password === '' ? undefined : { kind: 'basic', username, password };
  } catch {
    throw credentialsInvalid(where, 'an entry of "auths" is malformed');
  }
}

/** Base64 of `user:password`; the password may hold colons, and old Docker padded it with NUL. */
function splitAuth(auth: string): readonly [string, string] | undefined {
  if (auth === '') return undefined;
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(auth.trim())) throw new Error('not base64');
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) throw new Error('no colon');
  return [text.slice(0, colon), text.slice(colon + 1).replace(/\0+$/, '')];
}

export function credentialsInvalid(where: string, why: string, cause?: unknown): BoltsealError {
  return new BoltsealError('CREDENTIALS_INVALID', `the credentials in ${where} cannot be used: ${why}`, {
    hint: 'Correct or remove the file, or log in again with "boltseal login".',
    ...(cause === undefined ? {} : { cause }),
  });
}
