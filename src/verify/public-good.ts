import seeds from '@sigstore/tuf/seeds.json' with { type: 'json' };
import { loadTrustRoot, type TrustRoot } from './trust-root.ts';

const PUBLIC_GOOD = 'https://tuf-repo-cdn.sigstore.dev';

/**
 * The public-good Sigstore as it was when the installed @sigstore/tuf was published: read from the package, never from
 * the network.
 *
 * @throws BoltsealError TRUST_ROOT_INVALID
 */
export function publicGoodTrustRoot(): TrustRoot {
  const target = seeds[PUBLIC_GOOD].targets['trusted_root.json'];
  return loadTrustRoot(Buffer.from(target, 'base64'), 'the built-in trusted root');
}
