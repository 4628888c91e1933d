import type { SigningConfig, SigningService } from './signing-config.ts';

const OPERATOR = 'sigstore.dev';

/**
 * The public-good instance, as its own signing configuration (`signing_config.v0.2.json` of tuf-repo-cdn.sigstore.dev) has
 * it, which is what cosign 3 signs with by default: Rekor v1, since the instance's Rekor v2 is not in it yet, and the
 * timestamp authority beside it.
 */
export const PUBLIC_SIGNING_CONFIG: SigningConfig = {
  fulcio: [service('https://fulcio.sigstore.dev', '2023-04-14T21:38:40Z')],
  issuers: [service('https://oauth2.sigstore.dev/auth', '2025-04-16T00:00:00Z')],
  rekor: [service('https://rekor.sigstore.dev', '2021-01-12T11:53:27Z')],
  rekorSelection: { kind: 'any' },
  timestampAuthorities: [service('https://timestamp.sigstore.dev/api/v1/timestamp', '2025-07-04T00:00:00Z')],
  timestampSelection: { kind: 'any' },
};

function service(url: string, start: string): SigningService {
  return { url, majorApiVersion: 1, validFor: { start: new Date(start) }, operator: OPERATOR };
}
