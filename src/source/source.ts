import type { Readable } from 'node:stream';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Manifest } from '../oci/manifest.ts';
import type { Reference, RegistryReference, WritableReference } from '../oci/reference.ts';

/** A manifest as it is stored: the exact bytes, checked against their digest, and what they parse to. */
export interface StoredManifest {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
}

/** Turns what a person named into a digest, once. A reference that already has a digest costs no request. */
export interface ManifestResolver {
  /** @throws BoltsealError NOT_FOUND and the source's own codes */
  resolve(): Promise<Digest>;
}

export interface ManifestReader {
  /** The manifest by digest, bytes verified. @throws BoltsealError NOT_FOUND, DIGEST_MISMATCH, MANIFEST_INVALID … */
  readManifest(digest: Digest): Promise<StoredManifest>;
}

export interface BlobReader {
  /** The blob's bytes as they arrive; the stream fails at the end when size or digest is wrong. @throws BoltsealError NOT_FOUND … */
  readBlob(descriptor: Descriptor): Promise<Readable>;
  /**
   * Present when blobs are read from one stream: reading them one at a time, by rising position, passes over it once, and every
   * other way more often.
   */
  readonly blobPosition?: (digest: Digest) => number;
}

export interface ReferrerLister {
  /**
   * Descriptors of the manifests whose subject is `subject`, as the source lists them. The list is a claim: whoever uses an
   * entry reads its manifest and checks `subject` there. `artifactType` narrows it, but entries whose type the source does
   * not know are kept. An empty list means that the source says there are none; every failure to find out throws.
   */
  listReferrers(subject: Digest, filter?: { readonly artifactType?: string }): Promise<readonly Descriptor[]>;
}

export interface ContentWriter {
  /** Stores a blob if it is not there yet. `open` is called again for a retry. */
  writeBlob(descriptor: Descriptor, open: () => Readable | Uint8Array): Promise<void>;
  /**
   * Stores a manifest under its digest, and under `tag` when given. A manifest with a `subject` is also made to appear in
   * that subject's list of referrers, by the referrers API or by the fallback tag.
   */
  writeManifest(bytes: Uint8Array, options?: WriteOptions): Promise<Descriptor>;
}

export interface WriteOptions {
  readonly tag?: string;
  /** An index that names it follows, so it need not be found by itself. */
  readonly nested?: boolean;
}

/** Looks up tags other than the one the reference has. */
export interface TagReader {
  /** What a tag stands for now; undefined when there is no such tag. */
  findTag(tag: string): Promise<Digest | undefined>;
  /** Every tag, sorted. A source that names its images otherwise has none. */
  listTags(): Promise<readonly string[]>;
}

/** Says what is there without sending it. False means "not there"; every failure to find out throws. */
export interface ContentProbe {
  hasManifest(digest: Digest): Promise<boolean>;
  hasBlob(blob: Descriptor): Promise<boolean>;
}

/** Takes blobs over from another repository of the same registry, without their bytes travelling. */
export interface BlobMounter {
  /** True when the blob is now here. False when it has to be written: not the same registry or account, or it refuses. */
  mountBlob(blob: Descriptor, from: RegistryReference): Promise<boolean>;
}

/** Takes things away. What a manifest names stays: blobs are the storage's to clean up. */
export interface ContentDeleter {
  /**
   * Takes a referrer off the list that clients keep for its subject (the fallback tag). Returns false when it is not on
   * one, which is so wherever the source itself keeps the list.
   */
  unlistReferrer(subject: Digest, referrer: Digest): Promise<boolean>;
  /** Removes a manifest, and with it every tag it has. @throws BoltsealError NOT_FOUND, DELETE_REFUSED */
  deleteManifest(digest: Digest): Promise<void>;
}

/** Where an image comes from. Everything past this interface speaks digests and does not ask where they came from. */
export interface Source extends ManifestResolver, ManifestReader, BlobReader, Partial<TagReader>, AsyncDisposable {
  readonly reference: Reference;
}

/** A source that can hold what refers to an image. What is optional is what not every one can do. */
export interface WritableSource
  extends Source, ReferrerLister, ContentWriter, Partial<ContentProbe>, Partial<BlobMounter>, Partial<ContentDeleter> {
  readonly reference: WritableReference;
}

export function isWritable(source: Source): source is WritableSource {
  return source.reference.kind === 'registry' || source.reference.kind === 'layout';
}
