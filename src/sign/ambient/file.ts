import { stat } from 'node:fs/promises';
import { systemCodeOf } from '../../base/errors.ts';
import { readSecretFile } from '../token-file.ts';
import type { AmbientProvider } from './provider.ts';

/** Where cosign looks for a token that a platform mounts (Kubernetes: a projected service account token). */
const TOKEN_PATH = '/var/run/sigstore/cosign/oidc-token';

/** A token that the platform keeps fresh in a file. */
export function fileProvider(path = TOKEN_PATH): AmbientProvider {
  return {
    name: 'filesystem',
    title: path,
    isPresent: () => stat(path).then(() => true, isThereAnyway),
    fetch: (_audience, context) => readSecretFile(path, context),
  };
}

/** A token that may not be read is there: to pass it over would be to sign as somebody else. */
function isThereAnyway(error: unknown): boolean {
  return !['ENOENT', 'ENOTDIR'].includes(systemCodeOf(error) ?? '');
}
