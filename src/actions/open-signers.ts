import { LIMITS } from '../base/limits.ts';
import { signersOf, type SignerFlags } from '../policy/command-line.ts';
import type { SignerRule } from '../policy/signer-rule.ts';
import { loadTrustedKey, type TrustedKey } from '../verify/trust-root.ts';
import { readLocalFile } from './read-file.ts';

/** Who may have signed, as it is said without a policy file. */
export interface NamedSigners extends SignerFlags {
  /** Files with public keys. */
  readonly keyFiles?: readonly string[];
}

/** @throws BoltsealError USAGE, TRUST_ROOT_INVALID, FILE_NOT_FOUND, FILE_UNREADABLE */
export async function openSigners({
  keyFiles = [],
  ...flags
}: NamedSigners): Promise<{ readonly rules: readonly SignerRule[]; readonly keys: readonly TrustedKey[] }> {
  const keys = await Promise.all(
    keyFiles.map(async (path) =>
      loadTrustedKey(await readLocalFile(path, 'the key', LIMITS.policyBytes), { name: path }),
    ),
  );
  return { rules: await signersOf(flags, keys), keys };
}
