import { createReadStream } from 'node:fs';
import { mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Digest } from '../../oci/digest.ts';

/** Inclusive, in bytes. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** Blobs in files named by their digest, and which repository has which. A repository sees only its own. */
export interface BlobStore {
  readonly sizeOf: (name: string, digest: Digest) => number | undefined;
  readonly open: (digest: Digest, range?: ByteRange) => Readable;
  /** Moves a file whose content has this digest into the store. */
  readonly adopt: (name: string, digest: Digest, path: string) => Promise<void>;
  /** Lets another repository see a blob; false when `from` has no such blob. */
  readonly mount: (name: string, digest: Digest, from: string) => boolean;
  readonly remove: (name: string, digest: Digest) => boolean;
}

export async function openBlobStore(directory: string): Promise<BlobStore> {
  await mkdir(directory, { recursive: true });
  const repositories = new Map<string, Map<Digest, number>>();
  const pathOf = (digest: Digest): string => join(directory, digest.replace(':', '-'));
  const put = (name: string, digest: Digest, size: number): void => {
    const blobs = repositories.get(name) ?? new Map<Digest, number>();
    repositories.set(name, blobs.set(digest, size));
  };
  return {
    sizeOf: (name, digest) => repositories.get(name)?.get(digest),
    open: (digest, range) =>
      createReadStream(pathOf(digest), range === undefined ? {} : { start: range.first, end: range.last }),
    async adopt(name, digest, path) {
      const { size } = await stat(path);
      await rename(path, pathOf(digest));
      put(name, digest, size);
    },
    mount(name, digest, from) {
      const size = repositories.get(from)?.get(digest);
      if (size !== undefined) put(name, digest, size);
      return size !== undefined;
    },
    remove: (name, digest) => repositories.get(name)?.delete(digest) ?? false,
  };
}
