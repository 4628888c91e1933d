import { join } from 'node:path';
import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';

/** A file of credentials. */
export interface CredentialPlace {
  readonly path: string;
  /** Named by the user for exactly this: then it has to be there. */
  readonly mustExist: boolean;
}

/** What is asked, in this order: `named` or $REGISTRY_AUTH_FILE alone, as for podman and skopeo; else Docker's file, then podman's. */
export function credentialPaths(named: string | undefined, { env }: Context): readonly CredentialPlace[] {
  const only = named ?? env['REGISTRY_AUTH_FILE'];
  if (only !== undefined && only !== '') return [{ path: only, mustExist: true }];
  const configHome = env['XDG_CONFIG_HOME'] ? env['XDG_CONFIG_HOME'] : below(homeOf(env), '.config')[0];
  return [
    ...dockerPath(env),
    ...below(env['XDG_RUNTIME_DIR'], 'containers', 'auth.json'),
    ...below(configHome, 'containers', 'auth.json'),
  ].map((path) => ({ path, mustExist: false }));
}

/** The file that a login is written to, which is the first one asked. @throws BoltsealError CREDENTIALS_INVALID */
export function loginPath(named: string | undefined, { env }: Context): string {
  const only = named ?? env['REGISTRY_AUTH_FILE'];
  const path = only === undefined || only === '' ? dockerPath(env)[0] : only;
  if (path !== undefined) return path;
  throw new BoltsealError('CREDENTIALS_INVALID', 'there is no home folder to keep credentials in', {
    hint: 'Set HOME or DOCKER_CONFIG, or name a file with --registry-config.',
  });
}

function dockerPath(env: Context['env']): readonly string[] {
  return env['DOCKER_CONFIG']
    ? below(env['DOCKER_CONFIG'], 'config.json')
    : below(homeOf(env), '.docker', 'config.json');
}

function homeOf(env: Context['env']): string | undefined {
  return env['HOME'] ?? env['USERPROFILE'];
}

function below(folder: string | undefined, ...path: readonly string[]): readonly string[] {
  return folder === undefined || folder === '' ? [] : [join(folder, ...path)];
}
