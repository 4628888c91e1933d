import type { ImageConfig } from '../oci/config.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageManifest } from '../oci/manifest.ts';
import type { DirectoryReference, Reference } from '../oci/reference.ts';
import { buildPurl } from '../catalog/purl.ts';

/** The image a document is about, and how it was named when the document was asked for. */
export interface ImageSubject {
  readonly reference: Reference;
  /** Digest of the platform's manifest. */
  readonly digest: Digest;
  readonly indexDigest?: Digest;
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
}

/** A file-system root on disk: it has no digest to be known by. */
export interface DirectorySubject {
  readonly reference: DirectoryReference;
}

/** What a document is about. */
export type DocumentSubject = ImageSubject | DirectorySubject;

export function isImageSubject(subject: DocumentSubject): subject is ImageSubject {
  return 'digest' in subject;
}

/** A short name for people: the last part of the repository or of the path. */
export function subjectName({ reference }: ImageSubject): string {
  const written =
    reference.kind === 'registry'
      ? reference.repository
      : reference.kind === 'daemon'
        ? reference.name
        : reference.path;
  const last = written.replace(/\/+$/, '').split('/').at(-1) ?? '';
  const name = reference.kind === 'archive' ? last.replace(/(?:\.(?:tar|tgz|gz|zst|docker|oci))+$/, '') : last;
  return name.replace(/[:@].*$/, '') || 'image';
}

/** The purl type `oci`: name and digest, with where to find it. */
export function subjectPurl(subject: ImageSubject): string {
  const { reference, digest, config } = subject;
  const isRegistry = reference.kind === 'registry';
  return buildPurl({
    type: 'oci',
    name: subjectName(subject).toLowerCase(),
    version: digest,
    qualifiers: {
      arch: config.platform.architecture,
      repository_url: isRegistry ? `${reference.host}/${reference.repository}` : undefined,
      tag: 'tag' in reference ? reference.tag : undefined,
    },
  });
}
