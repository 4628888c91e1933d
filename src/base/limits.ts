const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

/** Every bound on input that somebody else controls. Units are in the names. Nothing remote is read without one. */
export const LIMITS = {
  /** Registries accept at least 4 MiB (distribution-spec 1.1, pushing manifests); nobody needs more than this. */
  manifestBytes: 8 * MiB,
  configBytes: 16 * MiB,
  /** A Sigstore bundle, SBOM attestations included. */
  bundleBytes: 128 * MiB,
  errorBodyBytes: 64 * KiB,
  tokenResponseBytes: 1 * MiB,
  jsonDepth: 200,

  /** Pages of a referrers or tag listing. */
  listPages: 1000,
  referrersPerSubject: 10_000,
  /** All pages of one referrers listing together. */
  referrersListBytes: 64 * MiB,
  /** Candidates that are fetched and verified for one image. */
  bundlesPerSubject: 1000,
  /** Log entries, and again timestamps, in one bundle: the client specification asks for no more. */
  proofsPerBundle: 32,
  redirects: 5,
  discoverDepth: 8,

  layersPerImage: 4096,
  /** Images of one index that are signed together. */
  imagesPerIndex: 1000,
  /** Indexes within an index, and how deep. */
  nestedIndexes: 64,
  indexDepth: 4,
  /** Of a layer, compressed or not. */
  layerBytes: 64 * GiB,
  entriesPerLayer: 10_000_000,
  /** A path or link name in a tar header, with its pax or GNU extension. */
  tarNameBytes: 64 * KiB,
  tarExtensionBytes: 1 * MiB,
  symlinkHops: 64,
  /** Parts of a path, also of one that symlinks led to. Linux allows half as many. */
  pathComponents: 4096,
  /** Names in all layers of an image together, folders that are only implied counted. */
  treeNodes: 20_000_000,
  /** A file that a cataloger asked to see whole. */
  catalogFileBytes: 256 * MiB,
  /** The description of one package in a layer: package.json, METADATA, a copyright file. */
  packageManifestBytes: 16 * MiB,

  /** A private key, encrypted or not, or a certificate chain. */
  keyFileBytes: 1 * MiB,
  /** What a password is hashed with costs this much at most; openssl writes 2048 rounds, careful people a million. */
  keyDerivationRounds: 5_000_000,
  /** What a key service or plugin answers: a public key or a signature. */
  keyAnswerBytes: 256 * KiB,
  /** A message that has to be in memory to be signed or verified: by Ed25519, which signs no digest, or by a plugin. */
  wholeMessageBytes: 256 * MiB,

  policyBytes: 4 * MiB,
  policyDepth: 32,
  trustRootBytes: 16 * MiB,
  credentialFileBytes: 4 * MiB,
  registriesConfBytes: 4 * MiB,

  /** Manifests and bundles of one image that are fetched at the same time. */
  parallelFetches: 8,
  connectionsPerHost: 8,

  /** Of everything that is copied with one image. */
  manifestsPerCopy: 20_000,
  manifestBytesPerCopy: 256 * MiB,
  /** Blobs that travel at the same time, and the sum of their sizes; a larger one travels alone. */
  parallelTransfers: 12,
  transferBytes: 128 * MiB,
  tagsPerRepository: 100_000,

  /** An artifact that is pulled into a folder: its files, and what a packed folder unpacks to. */
  filesPerArtifact: 100_000,
  artifactBytes: 64 * GiB,
  /** A folder that is packed to be attached. */
  packedFolderBytes: 512 * MiB,

  /** A request is made at most this often, and no retry begins later than the budget. */
  requestAttempts: 5,
  retryBudgetMs: 90_000,
  /** The longest a Retry-After header is obeyed; a registry that asks for more is reported instead. */
  retryAfterMs: 60_000,
  /** How long a writer of a fallback tag goes on until its entry stays. */
  fallbackTagAttempts: 60,
  credentialHelperTimeoutMs: 30_000,

  /** For the lock on a layout, and until a holder that shows no life is taken for dead. */
  lockWaitMs: 60_000,
  lockStaleMs: 5_000,

  connectTimeoutMs: 15_000,
  /** Until response headers, and between two pieces of a body. */
  responseTimeoutMs: 60_000,
  /** What a registry says of itself, in the report of a probe; and for removing what the probe pushed. */
  probeWords: 200,
  probeTidyMs: 30_000,
  /** An engine packs a whole image before it sends the first byte. */
  engineResponseTimeoutMs: 900_000,
  /** What an engine says of one image. */
  engineDocumentBytes: 16 * MiB,
  /** For a whole manifest, list or token. Blobs may take as long as they keep coming. */
  documentTimeoutMs: 300_000,
  tokenTimeoutMs: 20_000,
  /** For a person to sign in with the browser. */
  signInTimeoutMs: 300_000,
  fulcioTimeoutMs: 30_000,
  /** Rekor v2 answers after the entry is in the tree, which takes up to 20 s. */
  rekorTimeoutMs: 90_000,
  timestampTimeoutMs: 30_000,
  tufTimeoutMs: 30_000,
  /** A key service, or a plugin, which may wait for a person to touch a device. */
  keyServiceTimeoutMs: 30_000,
  /** A cloud's metadata service is on the same machine; elsewhere there is none, and nothing answers. */
  metadataTimeoutMs: 5_000,
  keyPluginTimeoutMs: 180_000,
} as const;
