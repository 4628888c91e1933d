import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { Context } from '../base/context.ts';
import { LIMITS } from '../base/limits.ts';
import type { Digest } from '../oci/digest.ts';
import type { ArtifactLayer } from '../referrers/artifact.ts';
import { attachArtifact } from '../referrers/attach.ts';
import { TITLE_ANNOTATION } from '../referrers/pull.ts';
import { checkCollisions, safePath } from '../referrers/safe-path.ts';
import { readError } from '../source/file-error.ts';
import { findSubject, formatPinned, openWritable, type ImageOptions } from './open-image.ts';
import { packFolder } from './pack-folder.ts';
import { readLocalFile } from './read-file.ts';

export interface FileToAttach {
  /** A file, or a folder, which is packed. */
  readonly path: string;
  /** Of a file; a folder's is a gzipped tar's. */
  readonly mediaType: string;
}

export interface AttachFilesOptions extends ImageOptions {
  readonly files: readonly FileToAttach[];
  readonly artifactType: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface AttachedFiles {
  readonly reference: string;
  readonly digest: Digest;
  readonly manifest: Digest;
  readonly artifactType: string;
  readonly files: readonly { readonly title: string; readonly mediaType: string; readonly sizeBytes: number }[];
}

/**
 * Attaches files and folders to an image as one artifact; each is a layer that carries its name, so that "pull" (and oras)
 * brings them back. A name that "pull" would refuse is refused here.
 *
 * @throws BoltsealError PATH_UNSAFE and the codes of files, references and registries
 */
export async function attachFiles(
  image: string,
  options: AttachFilesOptions,
  context: Context,
): Promise<AttachedFiles> {
  const { files, artifactType, annotations = {} } = options;
  checkCollisions(files.map(({ path }) => safePath(titleOf(path))));
  const layers: ArtifactLayer[] = [];
  for (const file of files) layers.push(await readLayer(file, context));
  await using target = await openWritable(image, options, context);
  const subject = await findSubject(target, options.platform);
  const manifest = await attachArtifact(target, subject, { artifactType, layers, annotations }, context);
  return {
    reference: formatPinned(target.reference, subject.digest),
    digest: subject.digest,
    manifest: manifest.digest,
    artifactType,
    files: layers.map(({ mediaType, bytes, annotations: named = {} }) => ({
      title: named[TITLE_ANNOTATION] ?? '',
      mediaType,
      sizeBytes: bytes.length,
    })),
  };
}

async function readLayer({ path, mediaType }: FileToAttach, context: Context): Promise<ArtifactLayer> {
  const title = titleOf(path);
  const found = await stat(path).catch((cause: unknown) => {
    throw readError(cause, path);
  });
  if (found.isDirectory()) return packFolder({ path, title }, context);
  const bytes = await readLocalFile(path, 'the file', LIMITS.bundleBytes);
  return { mediaType, bytes, annotations: { [TITLE_ANNOTATION]: title } };
}

/** The last part of the path: where a file lies on one machine is nothing to tell others. */
function titleOf(path: string): string {
  return basename(resolve(path));
}
