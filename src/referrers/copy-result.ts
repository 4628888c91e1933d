import type { Digest } from '../oci/digest.ts';
import { artifactTypeOf } from '../oci/manifest.ts';
import type { BlobOutcome } from './copy-blobs.ts';
import type { CopyGraph, CopyRole, GraphNode, LeftOut } from './copy-graph.ts';
import type { CopiedImage } from './copy-roots.ts';
import type { Survey } from './copy-survey.ts';

export interface CopyResult {
  readonly images: readonly CopiedImage[];
  /** Every manifest that belongs to the images, in the order of discovery. */
  readonly manifests: readonly CopiedManifest[];
  readonly blobs: readonly CopyBlob[];
  /** Tags that cosign's attachments have, at both sides. */
  readonly cosignTags: readonly { readonly tag: string; readonly digest: Digest }[];
  /** What belongs to the images and was not copied. */
  readonly leftOut: readonly LeftOut[];
  readonly dryRun: boolean;
}

/** `missing` is the outcome of a dry run: it would be copied. */
export type ManifestOutcome = 'copied' | 'present' | 'missing';

export interface CopiedManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  /** In bytes. */
  readonly size: number;
  readonly role: CopyRole;
  readonly artifactType?: string;
  readonly subject?: Digest;
  readonly outcome: ManifestOutcome;
}

export interface CopyBlob {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  readonly outcome: BlobOutcome | 'missing';
}

interface Copied {
  readonly images: readonly CopiedImage[];
  readonly graph: CopyGraph;
  /** Of the destination before anything was written. */
  readonly survey: Survey;
  readonly blobs: readonly CopyBlob[];
  readonly leftOut: readonly LeftOut[];
  readonly dryRun: boolean;
}

/** What a copy did, or what a dry run found. */
export function copyResult({ images, graph, survey, blobs, leftOut, dryRun }: Copied): CopyResult {
  const changed: ManifestOutcome = dryRun ? 'missing' : 'copied';
  const describe = (node: GraphNode): CopiedManifest => {
    const { digest, manifest, bytes, role } = node;
    const artifactType = role === 'referrer' ? artifactTypeOf(manifest) : manifest.artifactType;
    return {
      digest,
      mediaType: manifest.mediaType,
      size: bytes.length,
      role,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(manifest.subject === undefined ? {} : { subject: manifest.subject.digest }),
      outcome: survey.complete.has(digest) ? 'present' : changed,
    };
  };
  return {
    images,
    manifests: [...graph.nodes.values()].map(describe),
    blobs,
    cosignTags: graph.cosignTags.map(({ tag, digest }) => ({ tag, digest })),
    leftOut,
    dryRun,
  };
}
