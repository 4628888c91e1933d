import type { VerifiedSigner } from '../verify/verification.ts';
import type { Judged } from './candidate.ts';

/**
 * How many of the named signers signed, each by a different person or key. One identity that two names describe counts
 * for one of them, and one signer who signed twice counts once: the largest pairing of names with identities.
 */
export function countDistinct(candidates: readonly Judged[]): readonly string[] {
  const identitiesByName = new Map<string, Set<string>>();
  for (const { attestation, signers } of candidates)
    for (const name of signers) {
      const identities = identitiesByName.get(name) ?? new Set<string>();
      identitiesByName.set(name, identities.add(identityOf(attestation.signer)));
    }
  const nameOf = new Map<string, string>();
  const pair = (name: string, tried: Set<string>): boolean => {
    for (const identity of identitiesByName.get(name) ?? []) {
      if (tried.has(identity)) continue;
      tried.add(identity);
      const holder = nameOf.get(identity);
      if (holder !== undefined && !pair(holder, tried)) continue;
      nameOf.set(identity, name);
      return true;
    }
    return false;
  };
  for (const name of identitiesByName.keys()) pair(name, new Set());
  return [...nameOf.values()];
}

/** Two certificates of one person are one signer; the issuer is part of who somebody is. */
function identityOf(signer: VerifiedSigner): string {
  return signer.kind === 'key' ? signer.fingerprint : JSON.stringify([signer.issuer, signer.identity]);
}
