import type { Context } from '../../base/context.ts';
import { isBoltsealError } from '../../base/errors.ts';
import { asObject, optional, type JsonObject } from '../../base/shape.ts';
import { credentialKey, readCredentialFiles, type CredentialFile } from './credential-file.ts';
import { eraseFromHelper, storeInHelper } from './credential-helper.ts';
import { credentialPaths, loginPath } from './credential-paths.ts';
import type { BasicCredential } from './credential.ts';
import { helperFor, lookUp, serverKey } from './credentials.ts';
import { editCredentialFile, loadCredentialFile, type EditableFile } from './edit-credential-file.ts';

/** Where a secret is kept: by a helper program, or in a file, where everybody who can read the file can read it. */
export interface CredentialStore {
  readonly kind: 'helper' | 'file';
  /** The helper's name, or the file's path. */
  readonly name: string;
}

interface Where {
  readonly credentialFile: string | undefined;
}

/**
 * Keeps a password for a host where Docker would: with the helper that config.json names for the host, else with its store,
 * else in the file itself. A password that the file held for the host is replaced or taken out.
 *
 * @throws BoltsealError CREDENTIALS_INVALID, FILE_UNWRITABLE
 */
export async function storeCredential(
  host: string,
  { credential, credentialFile }: Where & { readonly credential: BasicCredential },
  context: Context,
): Promise<CredentialStore> {
  const { username, password } = credential;
  const path = loginPath(credentialFile, context);
  const helper = helperFor(await loadCredentialFile(path), host);
  if (helper === undefined) {
    const auth = Buffer.from(`${username}:${password}`, 'utf8').toString('base64');
    await editCredentialFile(path, (file) => withEntry(file, host, { auth }), context);
    return { kind: 'file', name: path };
  }
  await storeInHelper(helper, { serverKey: serverKey(host), username, password }, context);
  // Docker too leaves an empty entry where a helper has the secret, as a mark that there is one.
  await editCredentialFile(path, (file) => withEntry(file, host, {}), context);
  return { kind: 'helper', name: helper };
}

export interface ErasedCredential {
  readonly erased: readonly CredentialStore[];
  /** Other places that still have a credential for the host, in words. */
  readonly remaining: readonly string[];
}

/**
 * Takes the credentials for a host out of what `storeCredential` writes to.
 *
 * @throws BoltsealError CREDENTIALS_INVALID, FILE_UNWRITABLE
 */
export async function eraseCredential(
  host: string,
  { credentialFile }: Where,
  context: Context,
): Promise<ErasedCredential> {
  const path = loginPath(credentialFile, context);
  const file = await loadCredentialFile(path);
  const helper = helperFor(file, host);
  const erased: CredentialStore[] = [];
  if (helper !== undefined && (await eraseFromHelper(helper, serverKey(host), context)))
    erased.push({ kind: 'helper', name: helper });
  if (file.auths.has(host)) {
    await editCredentialFile(path, (present) => withEntry(present, host, undefined), context);
    // A mark that a helper has the secret is not a secret.
    if (Object.keys(file.auths.get(host) ?? {}).some((key) => SECRETS.has(key)))
      erased.push({ kind: 'file', name: path });
  }
  const isAlone = credentialPaths(credentialFile, context).some(({ mustExist }) => mustExist);
  return { erased, remaining: isAlone ? [] : await remainingFor(host, context) };
}

async function remainingFor(host: string, context: Context): Promise<readonly string[]> {
  const holds = async (file: CredentialFile): Promise<boolean> => {
    try {
      return (await lookUp(file, { host, repository: '' }, context)) !== undefined;
    } catch (error) {
      // What cannot be read may hold one.
      if (isBoltsealError(error, 'CREDENTIALS_INVALID')) return true;
      throw error;
    }
  };
  const remaining: string[] = [];
  for (const file of await readCredentialFiles(undefined, context)) if (await holds(file)) remaining.push(file.name);
  return remaining;
}

const SECRETS: ReadonlySet<string> = new Set(['auth', 'username', 'password', 'identitytoken', 'registrytoken']);

/**
 * Gives the host one entry, under the key Docker uses, with these secrets; undefined takes it out. Entries under other
 * spellings of the host go: readers would find them first. What an entry holds beside secrets stays.
 */
function withEntry({ json }: EditableFile, host: string, secrets: JsonObject | undefined): JsonObject {
  const entries = Object.entries(optional(json, 'auths', asObject) ?? {});
  const others = entries.filter(([key]) => credentialKey(key) !== host);
  const kept = entries
    .filter(([key]) => credentialKey(key) === host)
    .flatMap(([key, entry]) => Object.entries(asObject(entry, key)))
    .filter(([key]) => !SECRETS.has(key));
  const own = secrets === undefined ? [] : [[serverKey(host), { ...Object.fromEntries(kept), ...secrets }] as const];
  return { ...json, auths: Object.fromEntries([...others, ...own]) };
}
