import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { LayoutFiles } from './layout-files.ts';
import { blobPath, invalidLayout, readLayoutIndex } from './layout-index.ts';
import { findLayoutManifest } from './layout-reader.ts';
import type { ContentProbe, TagReader } from './source.ts';

/**
 * What is in a layout, in a folder or in an archive.
 *
 * @throws BoltsealError LAYOUT_INVALID, DIGEST_MISMATCH, FILE_UNREADABLE
 */
export function layoutContents(files: LayoutFiles): TagReader & ContentProbe {
  return {
    findTag: (tag) => findTag(files, tag),
    listTags: () => listTags(files),
    hasManifest: async (digest: Digest) => (await findLayoutManifest(files, digest)) !== undefined,
    hasBlob: async ({ digest, size }: Descriptor) => (await files.find(blobPath(digest)))?.size === size,
  };
}

async function findTag(files: LayoutFiles, tag: string): Promise<Digest | undefined> {
  const { entries } = await readLayoutIndex(files);
  const digests = new Set(entries.filter((entry) => entry.tag === tag).map(({ descriptor }) => descriptor.digest));
  if (digests.size > 1) throw invalidLayout(files, `the tag "${tag}" stands for ${[...digests].join(' and ')}`);
  return [...digests][0];
}

async function listTags(files: LayoutFiles): Promise<readonly string[]> {
  const { entries } = await readLayoutIndex(files);
  const tags = entries.flatMap(({ tag }) => (tag === undefined ? [] : [tag]));
  return [...new Set(tags)].toSorted();
}
