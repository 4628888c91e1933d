import { basename } from 'node:path';
import type { Context } from '../base/context.ts';
import { LIMITS } from '../base/limits.ts';
import type { Digest } from '../oci/digest.ts';
import { attachArtifact } from '../referrers/attach.ts';
import { findSubject, formatPinned, openWritable, type ImageOptions } from './open-image.ts';
import { readLocalFile } from './read-file.ts';

export interface AttachOptions extends ImageOptions {
  readonly file: string;
  readonly artifactType: string;
  readonly mediaType: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface AttachedFile {
  readonly reference: string;
  readonly digest: Digest;
  readonly manifest: Digest;
  readonly artifactType: string;
  readonly fileName: string;
  readonly sizeBytes: number;
}

/** Attaches a file to an image as an artifact that carries its name. @throws BoltsealError the codes of files, references and registries */
export async function attachFile(image: string, options: AttachOptions, context: Context): Promise<AttachedFile> {
  const { file, artifactType, mediaType, annotations = {} } = options;
  const bytes = await readLocalFile(file, 'the file', LIMITS.bundleBytes);
  const fileName = basename(file);
  await using target = await openWritable(image, options, context);
  const subject = await findSubject(target, options.platform);
  const layer = { mediaType, bytes, annotations: { 'org.opencontainers.image.title': fileName } };
  const manifest = await attachArtifact(target, subject, { artifactType, layers: [layer], annotations }, context);
  const reference = formatPinned(target.reference, subject.digest);
  return {
    reference,
    digest: subject.digest,
    manifest: manifest.digest,
    artifactType,
    fileName,
    sizeBytes: bytes.length,
  };
}
