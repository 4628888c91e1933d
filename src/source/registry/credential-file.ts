import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../base/context.ts';
import { BoltsealError, messageOf, systemCodeOf } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { asObject, asString, asStringMap, optional, type JsonObject } from '../../base/shape.ts';
import { normaliseHost } from '../../oci/reference.ts';
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

/** The credential files of this user that exist, in the order in which they are asked. @throws BoltsealError CREDENTIALS_INVALID */
export async function readCredentialFiles(context: Context): Promise<readonly CredentialFile[]> {
  const inline = context.env['DOCKER_AUTH_CONFIG'];
  const files = await Promise.all(credentialPaths(context).map(readCredentialFile));
  return [
    ...(inline === undefined || inline === ''
      ? []
      : [parseCredentialFile(Buffer.from(inline), 'the variable DOCKER_AUTH_CONFIG')]),
    ...files.filter((file) => file !== undefined),
  ];
}

interface Place {
  readonly path: string;
  /** Named by the user for exactly this: then it has to be there. */
  readonly mustExist: boolean;
}

/** $REGISTRY_AUTH_FILE alone when it is set, as for podman and skopeo; else Docker's file, then podman's. */
function credentialPaths({ env }: Context): readonly Place[] {
  const named = env['REGISTRY_AUTH_FILE'];
  if (named !== undefined && named !== '') return [{ path: named, mustExist: true }];
  const home = env['HOME'] ?? env['USERPROFILE'];
  const below = (folder: string | undefined, ...path: readonly string[]): readonly string[] =>
    folder === undefined || folder === '' ? [] : [join(folder, ...path)];
  const docker = env['DOCKER_CONFIG']
    ? below(env['DOCKER_CONFIG'], 'config.json')
    : below(home, '.docker', 'config.json');
  const configHome = env['XDG_CONFIG_HOME'] ? env['XDG_CONFIG_HOME'] : below(home, '.config')[0];
  return [
    ...docker,
    ...below(env['XDG_RUNTIME_DIR'], 'containers', 'auth.json'),
    ...below(configHome, 'containers', 'auth.json'),
  ].map((path) => ({ path, mustExist: false }));
}

async function readCredentialFile({ path, mustExist }: Place): Promise<CredentialFile | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    if (!mustExist && ['ENOENT', 'ENOTDIR'].includes(systemCodeOf(cause) ?? '')) return undefined;
    throw invalid(path, messageOf(cause), cause);
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
    throw invalid(name, 'it is not the JSON that Docker and podman write');
  }
}

function firstWins<T>(entries: readonly (readonly [string, T])[]): ReadonlyMap<string, T> {
  return new Map(entries.toReversed());
}

/**
 * `https://index.docker.io/v1/` → `docker.io`, `https://ghcr.io/v2/` → `ghcr.io`, `quay.io/acme` → `quay.io/acme`.
 * With a scheme it is a server's address, whose path is no namespace; without, the path is a prefix of repositories.
 */
function credentialKey(key: string): string {
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
    throw invalid(where, 'an entry of "auths" is malformed');
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

function invalid(where: string, why: string, cause?: unknown): BoltsealError {
  return new BoltsealError('CREDENTIALS_INVALID', `the credentials in ${where} cannot be used: ${why}`, {
    hint: 'Correct or remove the file, or log in again with "boltseal login".',
    ...(cause === undefined ? {} : { cause }),
  });
}
