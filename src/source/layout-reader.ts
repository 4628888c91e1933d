import { pipeline, type Readable } from 'node:stream';
import { BoltsealError } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { verifyBytes, verifyingStream, type Digest } from '../oci/digest.ts';
import { parseManifest } from '../oci/manifest.ts';
import { readError } from './file-error.ts';
import type { LayoutFile, LayoutFiles } from './layout-files.ts';
import { blobPath, readSmallFile } from './layout-index.ts';
import type { StoredManifest } from './source.ts';

/** @throws BoltsealError NOT_FOUND, DIGEST_MISMATCH, MANIFEST_INVALID, JSON_INVALID, LIMIT_EXCEEDED, FILE_UNREADABLE */
export async function readLayoutManifest(files: LayoutFiles, digest: Digest): Promise<StoredManifest> {
  const found = await findLayoutManifest(files, digest);
  if (found === undefined) throw notFound(files, digest);
  return found;
}

/** Like readLayoutManifest, but undefined when the blob is not there: a layout may leave blobs out. */
export async function findLayoutManifest(files: LayoutFiles, digest: Digest): Promise<StoredManifest | undefined> {
  const bytes = await readSmallFile(files, blobPath(digest));
  if (bytes === undefined) return undefined;
  const what = `the manifest ${digest} in ${files.name}`;
  verifyBytes(bytes, { digest }, what);
  return { digest, bytes, manifest: parseManifest(bytes, undefined, what) };
}

/** A blob as it streams, verified against its descriptor at the end. @throws BoltsealError NOT_FOUND, FILE_UNREADABLE */
export async function readLayoutBlob(files: LayoutFiles, descriptor: Descriptor): Promise<Readable> {
  const file = await files.find(blobPath(descriptor.digest));
  if (file === undefined) throw notFound(files, descriptor.digest);
  return verifiedStream(file, descriptor, files.name);
}

/** What a file holds, checked on its way. Destroying the result closes the file, and a failure to read is told as one. */
export function verifiedStream(file: LayoutFile, { digest, size }: Descriptor, name: string): Readable {
  const what = `the blob ${digest} in ${name}`;
  const checked = verifyingStream({ digest, size }, what);
  const raw = file.open();
  raw.once('error', (cause) => checked.destroy(readError(cause, name) as Error));
  return pipeline(raw, checked, () => {});
}

function notFound(files: LayoutFiles, digest: Digest): BoltsealError {
  return new BoltsealError('NOT_FOUND', `${digest} is not in ${files.name}`, {
    hint: 'The layout or archive is incomplete, or the digest is of another image. Copy the image again, with everything in it.',
  });
}
