import { publicGoodTrustRoot } from '../verify/public-good.ts';
import type { TrustRoot } from '../verify/trust-root.ts';
import type { SigningOptions } from './open-signer.ts';
import { openTrustRoot } from './open-trust-root.ts';

/** What to do about what the same signer has attached before. */
export interface RepeatOptions {
  /** Put the new one in the place of what the same signer attached of the same type. */
  readonly replace?: boolean;
  /** A trusted_root.json to verify what is attached with; by default the built-in one, where the services are its own. */
  readonly trustedRootFile?: string;
}

export interface RepeatRules {
  readonly replace: boolean;
  readonly trusted: { readonly trust?: TrustRoot; readonly isUnwitnessed: boolean };
}

/** @throws BoltsealError TRUST_ROOT_INVALID, FILE_NOT_FOUND, FILE_UNREADABLE */
export async function openRepeatRules(
  { replace = false, trustedRootFile }: RepeatOptions,
  { signingConfigFile, key }: Pick<SigningOptions, 'signingConfigFile' | 'key'>,
): Promise<RepeatRules> {
  const isUnwitnessed = key?.noLog === true || key?.noTimestamp === true;
  // The built-in root knows the services that are used when no others are named, and only those.
  if (trustedRootFile === undefined && signingConfigFile !== undefined) return { replace, trusted: { isUnwitnessed } };
  const trust = trustedRootFile === undefined ? publicGoodTrustRoot() : await openTrustRoot(trustedRootFile);
  return { replace, trusted: { trust, isUnwitnessed } };
}
