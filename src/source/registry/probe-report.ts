/** What a registry may or may not be able to do, in the order in which it is told. */
export const FEATURES = {
  referrersApi: 'referrers API',
  ociSubject: 'OCI-Subject header',
  filter: 'filter by artifact type',
  fallbackTag: 'fallback tag for referrers',
  deleteManifest: 'delete manifests',
  deleteTag: 'delete tags',
  deleteBlob: 'delete blobs',
  mount: 'mount blobs',
  singlePost: 'upload in one request',
  chunked: 'upload in chunks',
  sha512: 'sha512 digests',
  conditionalPut: 'conditional PUT (If-Match)',
  range: 'ranges of blobs',
} as const;

export type Feature = keyof typeof FEATURES;

export interface ProbeAnswer {
  readonly feature: Feature;
  /** `unknown`: it was not tried, or what came back tells nothing. */
  readonly answer: 'yes' | 'no' | 'unknown';
  /** What was seen, in words. */
  readonly seen: string;
}

export interface ProbeReport {
  /** `host/repository`. */
  readonly repository: string;
  /** One for every feature, in the order of FEATURES. */
  readonly answers: readonly ProbeAnswer[];
  /** Why nothing was pushed; absent when something was. */
  readonly nothingPushed?: string;
  /** What was pushed and could not be removed. */
  readonly leftovers: readonly string[];
}

export function probed(feature: Feature, answer: ProbeAnswer['answer'], seen: string): ProbeAnswer {
  return { feature, answer, seen };
}
