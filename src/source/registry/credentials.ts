import type { Context } from '../../base/context.ts';
import { askCredentialHelper } from './credential-helper.ts';
import { readAuthEntry, readCredentialFiles, type CredentialFile } from './credential-file.ts';
import type { Credential } from './credential.ts';

/** Docker Hub's key in every store, older than its present name. */
const HUB_KEY = 'https://index.docker.io/v1/';

/**
 * The credential this user has stored for a repository, by the rules of Docker's config.json and containers-auth.json(5):
 * within a file a helper for the host, then the store, then the entry with the longest matching path prefix; the first file
 * with an answer decides. Undefined means that there is none, and the registry is asked anonymously.
 *
 * @throws BoltsealError CREDENTIALS_INVALID
 */
export async function findCredential(
  host: string,
  repository: string,
  context: Context,
): Promise<Credential | undefined> {
  for (const file of await readCredentialFiles(context)) {
    const found = await lookUp(file, { host, repository }, context);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function lookUp(
  file: CredentialFile,
  { host, repository }: { readonly host: string; readonly repository: string },
  context: Context,
): Promise<Credential | undefined> {
  const serverKey = host === 'docker.io' ? HUB_KEY : host;
  const helper = file.credHelpers.get(host) ?? file.credsStore;
  const kept = helper === undefined ? undefined : await askCredentialHelper(helper, serverKey, context);
  if (kept !== undefined) return kept;
  for (const key of prefixesOf(`${host}/${repository}`)) {
    const entry = file.auths.get(key);
    const found = entry === undefined ? undefined : readAuthEntry(entry, file.name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `a/b/c` → `a/b/c`, `a/b`, `a`. */
function prefixesOf(name: string): readonly string[] {
  const parts = name.split('/');
  return parts.map((_, at) => parts.slice(0, parts.length - at).join('/'));
}
