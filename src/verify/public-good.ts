import seeds from '@sigstore/tuf/seeds.json' with { type: 'json' };
import { loadTrustRoot, type TrustRoot } from './trust-root.ts';

/** The TUF mirror of the public-good Sigstore. */
export const PUBLIC_GOOD = 'https://tuf-repo-cdn.sigstore.dev';

/**
 * The public-good Sigstore as it was when the installed @sigstore/tuf was published: read from the package, never from
 * the network.
 *
 * @throws BoltsealError TRUST_ROOT_INVALID
 */
export function publicGoodTrustRoot(): TrustRoot {
  return loadTrustRoot(publicGoodTrustedRootJson(), 'the built-in trusted root');
}

/** The same as the file it is. */
export function publicGoodTrustedRootJson(): Buffer {
  return Buffer.from(seeds[PUBLIC_GOOD].targets['trusted_root.json'], 'base64');
}

/** The root.json of the mirror, for the first update. */
export function publicGoodTufRoot(): Buffer {
  return Buffer.from(seeds[PUBLIC_GOOD]['root.json'], 'base64');
}
