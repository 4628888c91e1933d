/** A bundle's JSON, loosely: for tests that change it. */
export interface BundleJson {
  [field: string]: unknown;
  mediaType: string;
  verificationMaterial: {
    [field: string]: unknown;
    certificate?: { rawBytes: string } | undefined;
    tlogEntries: LogEntryJson[];
    timestampVerificationData?: { rfc3161Timestamps: { signedTimestamp: string }[] };
  };
  dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string }[] };
}

export interface LogEntryJson {
  logIndex: string;
  logId: { keyId: string };
  integratedTime: string;
  canonicalizedBody: string;
  inclusionPromise?: { signedEntryTimestamp: string };
  inclusionProof?: {
    logIndex: string;
    rootHash: string;
    treeSize: string;
    hashes?: string[];
    checkpoint: { envelope: string };
  };
}

export function edit(bytes: Uint8Array, change: (bundle: BundleJson) => unknown): Uint8Array {
  const bundle = JSON.parse(Buffer.from(bytes).toString()) as BundleJson;
  change(bundle);
  return Buffer.from(JSON.stringify(bundle));
}
