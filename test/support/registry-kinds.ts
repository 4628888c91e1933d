import type { RegistryBehaviour } from './registry-server.ts';

/** The ways in which registries come by their lists of referrers. */
export const REGISTRY_KINDS: readonly (readonly [string, Partial<RegistryBehaviour>])[] = [
  ['with the referrers API', {}],
  ['without the referrers API', { referrers: 'none', ociSubject: false }],
  ['with the API but without OCI-Subject', { ociSubject: false }],
  ['that says 200 to every referrers request', { referrers: 'always-empty', ociSubject: false }],
];
