import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { ArchiveReference, Reference } from '../oci/reference.ts';
import { openArchiveFiles, type ArchiveFiles } from './archive-files.ts';
import { archiveFile, notAnArchive, type ArchiveInput } from './archive-scan.ts';
import { readDockerImage } from './docker-archive.ts';
import { layoutContents } from './layout-contents.ts';
import { blobPath, readLayoutIndex } from './layout-index.ts';
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
  return openArchiveInput(reference, { input: await archiveFile(reference.path), ...reference }, context);
}

interface Archived {
  readonly input: ArchiveInput;
  /** The layout, where it is both, when absent: it has the manifest that a registry would have. */
  readonly format?: 'oci' | 'docker';
  readonly tag?: string;
}

/** The same for a tar that is not a file. @throws BoltsealError, and what the input fails with */
export async function openArchiveInput(
  reference: Reference,
  { input, format, tag }: Archived,
  context: Context,
): Promise<ArchiveSource> {
  const files = await openArchiveFiles(input, context);
  const image = { reference, tag, files };
  try {
    const isLayout = (format ?? (files.paths.has('index.json') ? 'oci' : 'docker')) === 'oci';
    return await (isLayout ? openOci(image) : openDocker(image));
  } catch (cause) {
    await files[Symbol.asyncDispose]();
    throw cause;
  }
}

interface OpenArchive {
  readonly reference: Reference;
  readonly tag: string | undefined;
  readonly files: ArchiveFiles;
}

async function openOci({ reference, tag, files }: OpenArchive): Promise<ArchiveSource> {
  if (!files.paths.has('index.json') && files.paths.has('manifest.json'))
    throw notAnArchive(files.name, `docker save made it; write docker-archive:${files.name}`);
  await readLayoutIndex(files);
  return {
    reference,
    resolve: () => resolveInLayout(files, tag === undefined ? {} : { tag }),
    readManifest: (digest) => readLayoutManifest(files, digest),
    readBlob: (descriptor) => readLayoutBlob(files, descriptor),
    listReferrers: (subject, filter) => listLayoutReferrers(files, subject, filter?.artifactType),
    ...layoutContents(files),
    ...inOrder(files.position, blobPath),
    [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
  };
}

async function openDocker({ reference, tag, files }: OpenArchive): Promise<ArchiveSource> {
  if (!files.paths.has('manifest.json') && files.paths.has('index.json'))
    throw notAnArchive(files.name, `it holds an OCI image layout; write oci-archive:${files.name}`);
  const { blobs, paths, ...image } = await readDockerImage(files, tag);
  return {
    reference,
    resolve: () => Promise.resolve(image.digest),
    readManifest: async (digest) => {
      if (digest !== image.digest) throw notInArchive(files, digest);
      return image;
    },
    readBlob: async (descriptor: Descriptor) => {
      const file = blobs.get(descriptor.digest);
      if (file === undefined) throw notInArchive(files, descriptor.digest);
      return verifiedStream(file, descriptor, files.name);
    },
    ...inOrder(files.position, (digest) => paths.get(digest) ?? ''),
    [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
  };
}

function inOrder(
  position: ArchiveFiles['position'],
  pathOf: (digest: Digest) => string,
): Pick<ArchiveSource, 'blobPosition'> {
  return position === undefined ? {} : { blobPosition: (digest) => position(pathOf(digest)) ?? 0 };
}

function notInArchive({ name }: ArchiveFiles, digest: string): BoltsealError {
  return new BoltsealError('NOT_FOUND', `${digest} is not in ${name}`, {
    hint: 'An archive made by docker save holds the image alone, and its manifest is made when it is opened.',
  });
}
