import { BoltsealError } from '../base/errors.ts';
import type { SignatureScheme } from './key/scheme.ts';
import type { WitnessServices } from './signing-config.ts';

/**
 * Refuses, before anything is signed, what a log would: it verifies a hashedrekord against the digest alone, which no
 * plain Ed25519 signature can be. Statements in Rekor v1 are logged whole, so those it takes.
 *
 * @throws BoltsealError KEY_INVALID
 */
export function checkLoggable(
  { hash }: SignatureScheme,
  content: 'statement' | 'message',
  { rekor }: WitnessServices,
): void {
  const refusing = rekor.find(({ majorApiVersion }) => majorApiVersion !== 1 || content === 'message');
  if (hash !== undefined || refusing === undefined) return;
  throw new BoltsealError(
    'KEY_INVALID',
    `Rekor v${refusing.majorApiVersion} takes no ${content} that is signed with an Ed25519 key`,
    {
      hint: 'Sign with an ECDSA or RSA key, or leave the log out with --no-tlog; a log of version 1 does take statements.',
    },
  );
}
