import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { ArchiveReference } from '../oci/reference.ts';
import { openArchiveFiles, type ArchiveFiles } from './archive-files.ts';
import { notAnArchive } from './archive-scan.ts';
import { readDockerImage } from './docker-archive.ts';
import { layoutContents } from './layout-contents.ts';
import { readLayoutIndex } from './layout-index.ts';
import { readLayoutBlob, readLayoutManifest, verifiedStream } from './layout-reader.ts';
import { listLayoutReferrers } from './layout-referrers.ts';
import { resolveInLayout } from './layout-resolve.ts';
import type { ReferrerLister, Source } from './source.ts';

/** A source of one image archive. What an OCI archive has attached to its image can be listed too. */
export type ArchiveSource = Source & Partial<ReferrerLister>;

/**
 * An image in a tar file, compressed or not: an OCI image layout, or what `docker save` writes. Read only, and nothing is
 * unpacked to disk.
 *
 * @throws BoltsealError FILE_NOT_FOUND, FILE_UNREADABLE, LAYOUT_INVALID, NOT_FOUND, REFERENCE_AMBIGUOUS, LIMIT_EXCEEDED
 */
export async function openArchive(reference: ArchiveReference, context: Context): Promise<ArchiveSource> {
  const files = await openArchiveFiles(reference.path, context);
  try {
    return await (reference.format === 'oci' ? openOci(reference, files) : openDocker(reference, files));
  } catch (cause) {
    await files[Symbol.asyncDispose]();
    throw cause;
  }
}

async function openOci(reference: ArchiveReference, files: ArchiveFiles): Promise<ArchiveSource> {
  if (!files.paths.has('index.json') && files.paths.has('manifest.json'))
    throw notAnArchive(reference.path, `docker save made it; write docker-archive:${reference.path}`);
  await readLayoutIndex(files);
  return {
    reference,
    resolve: () => resolveInLayout(files, reference),
    readManifest: (digest) => readLayoutManifest(files, digest),
    readBlob: (descriptor) => readLayoutBlob(files, descriptor),
    listReferrers: (subject, filter) => listLayoutReferrers(files, subject, filter?.artifactType),
    ...layoutContents(files),
    [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
  };
}

async function openDocker(reference: ArchiveReference, files: ArchiveFiles): Promise<ArchiveSource> {
  if (!files.paths.has('manifest.json') && files.paths.has('index.json'))
    throw notAnArchive(reference.path, `it holds an OCI image layout; write oci-archive:${reference.path}`);
  const { blobs, ...image } = await readDockerImage(files, reference.tag);
  return {
    reference,
    resolve: () => Promise.resolve(image.digest),
    readManifest: async (digest) => {
      if (digest !== image.digest) throw notInArchive(reference, digest);
      return image;
    },
    readBlob: async (descriptor: Descriptor) => {
      const file = blobs.get(descriptor.digest);
      if (file === undefined) throw notInArchive(reference, descriptor.digest);
      return verifiedStream(file, descriptor, reference.path);
    },
    [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
  };
}

function notInArchive({ path }: ArchiveReference, digest: string): BoltsealError {
  return new BoltsealError('NOT_FOUND', `${digest} is not in ${path}`, {
    hint: 'An archive made by docker save holds the image alone, and its manifest is made when it is opened.',
  });
}
