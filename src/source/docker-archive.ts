import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { BoltsealError, messageOf } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { asArray, asObject, asString, optional, required, ShapeError } from '../base/shape.ts';
import { parseImageConfig } from '../oci/config.ts';
import { readDescriptor, type Descriptor } from '../oci/descriptor.ts';
import { digestOf, finishDigest, isDigest, type Digest } from '../oci/digest.ts';
import { parseManifest } from '../oci/manifest.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import { detectCompression, type Compression } from '../tar/decompress.ts';
import type { ArchiveFiles } from './archive-files.ts';
import { archiveError, notAnArchive } from './archive-scan.ts';
import type { LayoutFile } from './layout-files.ts';
import { readSmallFile } from './layout-index.ts';
import type { StoredManifest } from './source.ts';

/** One image of an archive made by `docker save`, with the manifest that the archive does not have. */
export interface DockerImage extends StoredManifest {
  readonly blobs: ReadonlyMap<Digest, LayoutFile>;
  /** The member each blob is. */
  readonly paths: ReadonlyMap<Digest, string>;
}

/**
 * Makes the manifest of an image in a `docker save` archive: Docker schema 2, layers as they are stored. The same archive
 * always gives the same manifest, but no registry has one with this digest. A layer that is not compressed is described by
 * its diffID; that its bytes fit is found out when they are read, as for every blob.
 *
 * @throws BoltsealError LAYOUT_INVALID, NOT_FOUND, REFERENCE_AMBIGUOUS, MANIFEST_INVALID
 */
export async function readDockerImage(files: ArchiveFiles, tag: string | undefined): Promise<DockerImage> {
  const saved = chooseImage(files, await readSaved(files), tag);
  const configBytes = await readSmallFile(files, saved.config);
  if (configBytes === undefined) throw notAnArchive(files.name, `it has no ${saved.config}`);
  const { diffIds } = parseImageConfig(configBytes, `the configuration ${saved.config} in ${files.name}`);
  if (diffIds.length !== saved.layers.length)
    throw notAnArchive(
      files.name,
      `it has ${saved.layers.length} layers, but its configuration names ${diffIds.length}`,
    );
  const blobs = new Map<Digest, LayoutFile>();
  const paths = new Map<Digest, string>([[digestOf(configBytes), saved.config]]);
  const add = (file: LayoutFile, mediaType: string, digest: Digest): Descriptor => {
    blobs.set(digest, file);
    return readDescriptor({ mediaType, digest, size: file.size }, 'layer');
  };
  const configFile = await findFile(files, saved.config);
  const config = add(configFile, MEDIA_TYPES.dockerConfig, digestOf(configBytes));
  const layers: Descriptor[] = [];
  for (const [at, diffId] of diffIds.entries()) {
    const path = saved.layers[at] ?? '';
    const file = await findFile(files, path);
    const { mediaType, digest } = await describeLayer(files, { file, path, diffId });
    layers.push(add(file, mediaType, digest));
    paths.set(digest, path);
  }
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.dockerManifest, config, layers };
  const bytes = Buffer.from(JSON.stringify(manifest));
  return { digest: digestOf(bytes), bytes, manifest: parseManifest(bytes, undefined, files.name), blobs, paths };
}

interface SavedImage {
  readonly config: string;
  readonly tags: readonly string[];
  readonly layers: readonly string[];
}

async function readSaved(files: ArchiveFiles): Promise<readonly SavedImage[]> {
  const bytes = await readSmallFile(files, 'manifest.json');
  if (bytes === undefined) throw notAnArchive(files.name, 'it has no manifest.json, so docker save did not make it');
  try {
    const value = parseJson(bytes, { what: `manifest.json in ${files.name}`, maxBytes: LIMITS.manifestBytes });
    return asArray(value, 'manifest.json').map((entry, at) => {
      const object = asObject(entry, `[${at}]`);
      const strings = (list: unknown, where: string): readonly string[] =>
        asArray(list, where).map((text) => asString(text, where));
      return {
        config: required(object, 'Config', asString, `[${at}]`),
        tags: optional(object, 'RepoTags', strings, `[${at}]`) ?? [],
        layers: required(object, 'Layers', strings, `[${at}]`),
      };
    });
  } catch (cause) {
    throw cause instanceof ShapeError ? notAnArchive(files.name, messageOf(cause), cause) : cause;
  }
}

function chooseImage(files: ArchiveFiles, images: readonly SavedImage[], tag: string | undefined): SavedImage {
  const named = tag === undefined ? images : images.filter(({ tags }) => tags.some((name) => name.endsWith(`:${tag}`)));
  const [first, ...others] = named;
  const listed = images.flatMap(({ tags, config }) => (tags.length === 0 ? [config] : tags)).join(', ') || 'nothing';
  if (first === undefined) {
    throw new BoltsealError(
      'NOT_FOUND',
      `${files.name} has no image${tag === undefined ? '' : ` ":${tag}"`}: it has ${listed}`,
      {
        hint: 'Name one of the tags that are there.',
      },
    );
  }
  if (others.every(({ config }) => config === first.config)) return first;
  throw new BoltsealError('REFERENCE_AMBIGUOUS', `${files.name} holds several images: ${listed}`, {
    hint: 'Name one by its tag: docker-archive:FILE:TAG. If the tag is the same too, save that image alone.',
  });
}

async function findFile(files: ArchiveFiles, path: string): Promise<LayoutFile> {
  const file = await files.find(path);
  if (file === undefined) throw notAnArchive(files.name, `its manifest.json names ${path}, which is not in it`);
  return file;
}

interface LayerFacts {
  readonly file: LayoutFile;
  readonly path: string;
  readonly diffId: Digest;
}

async function describeLayer(
  files: ArchiveFiles,
  { file, path, diffId }: LayerFacts,
): Promise<{ mediaType: string; digest: Digest }> {
  try {
    const compression = detectCompression((await files.head(path)) ?? new Uint8Array());
    const mediaType = LAYER_TYPES[compression];
    if (compression === 'none') return { mediaType, digest: diffId };
    const claimed = path.replace(/^blobs\/(sha256)\/([0-9a-f]{64})$/, '$1:$2');
    return { mediaType, digest: isDigest(claimed) ? claimed : await digestFile(file) };
  } catch (cause) {
    throw archiveError(cause, files.name);
  }
}

async function digestFile(file: LayoutFile): Promise<Digest> {
  const hash = createHash('sha256');
  const stream: Readable = file.open();
  for await (const chunk of stream) hash.update(chunk as Uint8Array);
  return finishDigest(hash);
}

const LAYER_TYPES: Readonly<Record<Compression, string>> = {
  none: MEDIA_TYPES.dockerLayer,
  gzip: MEDIA_TYPES.dockerLayerGzip,
  zstd: MEDIA_TYPES.ociLayerZstd,
};
