import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { encodedOf, type Digest } from '../oci/digest.ts';
import { artifactTypeOf, type ImageManifest } from '../oci/manifest.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import { writeError } from '../source/file-error.ts';
import type { BlobReader, ManifestReader, ReferrerLister } from '../source/source.ts';
import { chooseArtifact, type WantedArtifact } from './choose-artifact.ts';
import { openSafeFolder, type SafeFolder, type StagedFile } from './safe-folder.ts';
import { checkCollisions, formatPath, safePath, type SafePath } from './safe-path.ts';
import { UNPACK_ANNOTATION, UNPACKED_DIGEST_ANNOTATION, unpackFolder } from './unpack-folder.ts';

/** The annotation that names a file: image-spec 1.1.1, annotations.md. */
export const TITLE_ANNOTATION = 'org.opencontainers.image.title';

export interface PullOptions {
  /** Where the files go; made when it is missing. */
  readonly folder: string;
  /** False keeps packed folders as the archives they are, with `.tar.gz` after their names. True when absent. */
  readonly unpack?: boolean;
}

export interface PulledArtifact {
  readonly digest: Digest;
  readonly artifactType?: string;
  readonly subject?: Digest;
  /** The folder's real path. */
  readonly folder: string;
  readonly files: readonly PulledFile[];
}

export interface PulledFile {
  /** Below the folder, with slashes. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly mediaType: string;
  /** Of the layer the file came from. */
  readonly digest: Digest;
}

export type PullSource = ManifestReader & ReferrerLister & BlobReader;

/**
 * Brings an artifact's files back into a folder, named by their titles; a layer without one is named by its digest. Titles are
 * the artifact's maker's: none leads out of the folder, through a link, or over another. Every byte is checked before a
 * file appears, and the files appear all or none. A file of that name that is there is replaced.
 *
 * @throws BoltsealError PATH_UNSAFE, NOT_FOUND, DIGEST_MISMATCH, LIMIT_EXCEEDED, FILE_UNWRITABLE, and the source's codes
 */
export async function pullArtifact(
  source: PullSource,
  wanted: WantedArtifact,
  options: PullOptions,
  context: Context,
): Promise<PulledArtifact> {
  const { digest, manifest } = await chooseArtifact(source, wanted);
  const layers = nameLayers(manifest, options.unpack ?? true);
  checkCollisions(layers.map(({ path }) => path));
  checkSize(digest, layers);
  await using folder = await openSafeFolder(options.folder);
  await folder.check(layers.filter(({ isPacked }) => !isPacked).map(({ path }) => path));
  const fetched: Fetched[] = [];
  for (const [at, layer] of layers.entries()) fetched.push(await fetchLayer({ source, folder, layer, at }, context));
  const files = fetched.flatMap((layer) => layer.files);
  checkCollisions(files.map(({ path }) => path));
  await folder.check(files.map(({ path }) => path));
  await folder.place(
    files,
    fetched.flatMap(({ folders }) => folders),
  );
  const artifactType = artifactTypeOf(manifest);
  return {
    digest,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(manifest.subject === undefined ? {} : { subject: manifest.subject.digest }),
    folder: folder.root,
    files: files.map(({ path, sizeBytes, from }) => ({
      path: formatPath(path),
      sizeBytes,
      mediaType: from.mediaType,
      digest: from.digest,
    })),
  };
}

interface NamedLayer {
  readonly descriptor: Descriptor;
  readonly path: SafePath;
  /** A folder to unpack; its path is the folder's. */
  readonly isPacked: boolean;
}

function nameLayers({ layers }: ImageManifest, unpack: boolean): readonly NamedLayer[] {
  const content = layers.filter(({ mediaType }) => mediaType !== MEDIA_TYPES.ociEmpty);
  return content.map((descriptor) => {
    const title = descriptor.annotations?.[TITLE_ANNOTATION];
    const isFolder = title !== undefined && descriptor.annotations?.[UNPACK_ANNOTATION] === 'true';
    const name = title ?? `${encodedOf(descriptor.digest)}${/\bjson$/.test(descriptor.mediaType) ? '.json' : ''}`;
    const path = safePath(isFolder && !unpack ? `${name.replace(/\/+$/, '')}.tar.gz` : name);
    return { descriptor, path, isPacked: isFolder && unpack };
  });
}

function checkSize(digest: Digest, layers: readonly NamedLayer[]): void {
  const sizeBytes = layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
  if (layers.length === 0) {
    throw new BoltsealError('NOT_FOUND', `the artifact ${digest} holds no files`, {
      hint: 'What it says is in its annotations: look at them with "boltseal discover".',
    });
  }
  if (layers.length <= LIMITS.filesPerArtifact && sizeBytes <= LIMITS.artifactBytes) return;
  throw new BoltsealError('LIMIT_EXCEEDED', `the artifact holds ${layers.length} files of ${sizeBytes} bytes`, {
    hint: `At most ${LIMITS.filesPerArtifact} files and ${LIMITS.artifactBytes} bytes are pulled.`,
  });
}

interface Fetch {
  readonly source: BlobReader;
  readonly folder: SafeFolder;
  readonly layer: NamedLayer;
  /** Names the staged files: nothing of the artifact does. */
  readonly at: number;
}

interface Fetched {
  readonly files: readonly (StagedFile & { readonly sizeBytes: number; readonly from: Descriptor })[];
  readonly folders: readonly SafePath[];
}

async function fetchLayer({ source, folder, layer, at }: Fetch, context: Context): Promise<Fetched> {
  const { descriptor: from, path, isPacked } = layer;
  const body = await source.readBlob(from);
  if (!isPacked) {
    const staged = join(folder.staging, String(at));
    await stage(staged, body, context);
    return { files: [{ path, staged, sizeBytes: from.size, from }], folders: [] };
  }
  const digest = from.annotations?.[UNPACKED_DIGEST_ANNOTATION];
  const packed = {
    archive: body,
    title: formatPath(path),
    staging: folder.staging,
    prefix: String(at),
    ...(digest === undefined ? {} : { digest }),
  };
  const { files, folders } = await unpackFolder(packed, context.signal);
  return { files: files.map((file) => ({ ...file, from })), folders };
}

/** Exclusive, and synced, so that a file that has its name also has its bytes. */
async function stage(path: string, body: Readable, { signal }: Context): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o644);
    await pipeline(body, file.createWriteStream({ flush: true }), { signal });
  } catch (cause) {
    body.destroy();
    throw writeError(cause, path);
  }
}
