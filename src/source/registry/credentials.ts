import type { Context } from '../../base/context.ts';
import { askCredentialHelper } from './credential-helper.ts';
import { readAuthEntry, readCredentialFiles, type CredentialFile } from './credential-file.ts';
import type { Credential } from './credential.ts';

/**
 * The credential this user has stored for a repository, by the rules of Docker's config.json and containers-auth.json(5):
 * within a file a helper for the host, then the store, then the entry with the longest matching path prefix; the first file
 * with an answer decides. Undefined means that there is none, and the registry is asked anonymously.
 *
 * @throws BoltsealError CREDENTIALS_INVALID
 */
export async function findCredential(query: CredentialQuery, context: Context): Promise<Credential | undefined> {
  for (const file of await readCredentialFiles(query.credentialFile, context)) {
    const found = await lookUp(file, query, context);
    if (found !== undefined) return found;
  }
  return undefined;
}

export interface CredentialQuery {
  readonly host: string;
  /** Empty for the host as a whole. */
  readonly repository: string;
  /** Asked instead of every other place. */
  readonly credentialFile: string | undefined;
}

/** What one file has, or the helper that it names. @throws BoltsealError CREDENTIALS_INVALID */
export async function lookUp(
  file: CredentialFile,
  { host, repository }: Pick<CredentialQuery, 'host' | 'repository'>,
  context: Context,
): Promise<Credential | undefined> {
  const helper = helperFor(file, host);
  const kept = helper === undefined ? undefined : await askCredentialHelper(helper, serverKey(host), context);
  if (kept !== undefined) return kept;
  for (const key of prefixesOf(`${host}/${repository}`)) {
    const entry = file.auths.get(key);
    const found = entry === undefined ? undefined : readAuthEntry(entry, file.name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The helper that keeps this host's credential, by what the file says. */
export function helperFor({ credHelpers, credsStore }: CredentialFile, host: string): string | undefined {
  // An empty helper for a host means none, whatever the store is.
  return (credHelpers.get(host) ?? credsStore) || undefined;
}

/** What helpers and files call a registry: its host, but for Docker Hub, whose key is older than its present name. */
export function serverKey(host: string): string {
  return host === 'docker.io' ? 'https://index.docker.io/v1/' : host;
}

/** `a/b/c` → `a/b/c`, `a/b`, `a`. */
function prefixesOf(name: string): readonly string[] {
  const parts = name.split('/');
  return parts.map((_, at) => parts.slice(0, parts.length - at).join('/'));
}
