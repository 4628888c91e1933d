import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../../src/oci/digest.ts';
import { boltseal, type Ran } from './cli.ts';

/** Whom the public-good cases of the suite are signed by. */
export const SUITE_ISSUER = 'https://token.actions.githubusercontent.com';
export const SUITE_IDENTITY =
  'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main';

export type InputKind = 'path' | 'digest';

/**
 * Runs `conformance verify-bundle` for one folder the way the suite does: the arguments in its order, taken from the files
 * that are there.
 */
export function verifyCase(folder: string, input: InputKind, defaultArtifact: string): Promise<Ran> {
  const at = (name: string): string | undefined => (existsSync(join(folder, name)) ? join(folder, name) : undefined);
  const read = (name: string, otherwise: string): string => {
    const path = at(name);
    return path === undefined ? otherwise : readFileSync(path, 'utf8').trim();
  };
  const artifact = at('artifact') ?? defaultArtifact;
  const key = at('key.pub');
  const root = at('trusted_root.json');
  return boltseal([
    'conformance',
    'verify-bundle',
    '--bundle',
    join(folder, 'bundle.sigstore.json'),
    ...(key === undefined
      ? [
          '--certificate-identity',
          read('identity', SUITE_IDENTITY),
          '--certificate-oidc-issuer',
          read('issuer', SUITE_ISSUER),
        ]
      : ['--key', key]),
    ...(root === undefined ? [] : ['--trusted-root', root]),
    input === 'path' ? artifact : digestOf(readFileSync(artifact)),
  ]);
}
