import type { ImageConfig } from '../oci/config.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageManifest } from '../oci/manifest.ts';

/** One platform's image: manifest and configuration are read and checked, layers are only described. */
export interface Image {
  /** Digest of the platform's manifest. */
  readonly digest: Digest;
  /** Size of the manifest in bytes. */
  readonly size: number;
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
  /** Lowest first. */
  readonly layers: readonly Layer[];
  /** The index it was chosen from, when there was one. */
  readonly indexDigest?: Digest;
}

export interface Layer {
  /** 0 is the lowest. */
  readonly index: number;
  /** The blob as it is stored, usually compressed. */
  readonly descriptor: Descriptor;
  /** Digest of the uncompressed tar; checked when the layer is walked. */
  readonly diffId: Digest;
}
