import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { normaliseHost, parseRegistryReference } from '../oci/reference.ts';
import { checkLogin } from '../source/registry/check-login.ts';
import {
  eraseCredential,
  storeCredential,
  type CredentialStore,
  type ErasedCredential,
} from '../source/registry/store-credential.ts';
import type { RegistryAccess } from './open-image.ts';

export interface LoginOptions {
  readonly username: string;
  readonly password: string;
  readonly registry?: RegistryAccess;
}

export interface Login {
  readonly host: string;
  readonly username: string;
  readonly store: CredentialStore;
  /** False: the registry lets everybody in where it was asked, so whether the password is right is not known. */
  readonly checked: boolean;
}

/**
 * Logs in: asks the registry whether it takes the password, then keeps it where Docker would.
 *
 * @throws BoltsealError USAGE, REGISTRY_UNAUTHORIZED (then nothing is stored), CREDENTIALS_INVALID, FILE_UNWRITABLE and the
 *   registry's codes
 */
export async function login(name: string, options: LoginOptions, context: Context): Promise<Login> {
  const host = parseHost(name);
  const { username, password, registry = {} } = options;
  if (username === '' || username.includes(':') || password === '') {
    throw new BoltsealError('USAGE', 'a login needs a user name without a colon, and a password', {
      hint: 'Write: printf %s "$PASSWORD" | boltseal login HOST --username NAME --password-stdin',
    });
  }
  const credential = { kind: 'basic', username, password } as const;
  const checked = await checkLogin({ host, credential, options: registry }, context);
  const store = await storeCredential(host, { credential, credentialFile: registry.credentialFile }, context);
  if (!checked) warn(`${host} lets everybody in where it was asked, so the password could not be checked`, context);
  if (store.kind === 'file') {
    const advice =
      'whoever can read that file can read it; name a credential helper there ("credsStore") to keep it safe';
    warn(`the password is stored unencrypted in ${store.name}: ${advice}`, context);
  }
  return { host, username, store, checked };
}

function warn(message: string, { emit }: Context): void {
  emit({ kind: 'warning', message });
}

export interface Logout extends ErasedCredential {
  readonly host: string;
}

/** Forgets the password for a registry. @throws BoltsealError USAGE, CREDENTIALS_INVALID, FILE_UNWRITABLE */
export async function logout(
  name: string,
  { registry = {} }: { readonly registry?: Pick<RegistryAccess, 'credentialFile'> },
  context: Context,
): Promise<Logout> {
  const host = parseHost(name);
  const result = await eraseCredential(host, { credentialFile: registry.credentialFile }, context);
  for (const place of result.remaining)
    warn(`${place} still holds, or names a helper with, a login for ${host}`, context);
  return { host, ...result };
}

/** A registry as people write it: `ghcr.io`, `localhost:5000`, `https://index.docker.io/v1/`. */
function parseHost(name: string): string {
  const bare = name.replace(/^https:\/\//i, '').replace(/\/(?:v[12]\/?)?$/, '');
  const parts = bare.split('/');
  const { host } = parts.length === 1 ? parseRegistryReference(`${bare}/repository`) : { host: undefined };
  // A name without a dot or a port is a part of Docker Hub to every reference, so that a login for it would be of no use.
  if (host !== undefined && host === normaliseHost(bare)) return host;
  throw new BoltsealError('USAGE', `"${name}" is not the host of a registry`, {
    hint: 'Name the host alone, as references begin with it: ghcr.io, docker.io, localhost:5000.',
  });
}
