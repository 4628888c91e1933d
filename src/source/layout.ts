import { stat } from 'node:fs/promises';
import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import type { LayoutReference } from '../oci/reference.ts';
import { readError } from './file-error.ts';
import { layoutContents } from './layout-contents.ts';
import { deleteLayoutManifest, unlistLayoutReferrer } from './layout-delete.ts';
import { directoryFiles } from './layout-files.ts';
import { readLayoutIndex } from './layout-index.ts';
import { readLayoutBlob, readLayoutManifest } from './layout-reader.ts';
import { listLayoutReferrers } from './layout-referrers.ts';
import { resolveInLayout } from './layout-resolve.ts';
import { writeLayoutBlob, writeLayoutManifest } from './layout-writer.ts';
import type { WritableSource } from './source.ts';

/**
 * An OCI image layout in a folder (image-spec 1.1.1, image-layout.md), for reading and writing. Everything written appears
 * whole or not at all, and several writers on one machine do not lose each other's entries.
 *
 * @throws BoltsealError FILE_NOT_FOUND, FILE_UNREADABLE, LAYOUT_INVALID
 */
export async function openLayout(reference: LayoutReference, context: Context): Promise<WritableSource> {
  const { path } = reference;
  const files = directoryFiles(path);
  await checkIsDirectory(path);
  await readLayoutIndex(files);
  return {
    reference,
    resolve: () => resolveInLayout(files, reference),
    readManifest: (digest) => readLayoutManifest(files, digest),
    readBlob: (descriptor) => readLayoutBlob(files, descriptor),
    listReferrers: (subject, filter) => listLayoutReferrers(files, subject, filter?.artifactType),
    writeBlob: (descriptor, open) => writeLayoutBlob(path, descriptor, open, context),
    writeManifest: (bytes, options) => writeLayoutManifest(path, bytes, options ?? {}, context),
    ...layoutContents(files),
    unlistReferrer: (subject, referrer) => unlistLayoutReferrer(path, { subject, referrer }, context),
    deleteManifest: (digest) => deleteLayoutManifest(path, digest, context),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function checkIsDirectory(path: string): Promise<void> {
  const found = await stat(path).catch((cause: unknown) => {
    throw readError(cause, path);
  });
  if (found.isDirectory()) return;
  throw new BoltsealError('LAYOUT_INVALID', `${path} is a file, and an OCI image layout is a folder`, {
    hint: `If it is an archive, write oci-archive:${path} or docker-archive:${path}.`,
  });
}
