import { Buffer } from 'node:buffer';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Context } from '../base/context.ts';
import { BoltsealError, systemCodeOf } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { digestOf, verifyingStream, type Digest } from '../oci/digest.ts';
import { parseManifest } from '../oci/manifest.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import { writeFileAtomically } from './atomic-file.ts';
import { readError, writeError } from './file-error.ts';
import { withFileLock } from './file-lock.ts';
import { directoryFiles } from './layout-files.ts';
import {
  blobPath,
  invalidLayout,
  readLayoutIndex,
  TAG_ANNOTATION,
  type LayoutEntry,
  type LayoutIndex,
} from './layout-index.ts';
import { findFallback } from './layout-referrers.ts';
import { describeReferrer, referrersTag } from './referrer-entry.ts';
import type { WriteOptions } from './source.ts';

/**
 * Makes a new, empty OCI image layout: image-spec 1.1.1, image-layout.md. A layout that is already there stays as it is.
 *
 * @throws BoltsealError FILE_UNWRITABLE, also when the folder holds something else
 */
export async function createLayout(path: string, context: Context): Promise<void> {
  const present = await list(path);
  if (present.includes('oci-layout') && present.includes('index.json')) return;
  if (present.some((name) => !CREATED.has(name) && !name.startsWith('.'))) {
    throw new BoltsealError('FILE_UNWRITABLE', `${path} is not empty and not an OCI image layout`, {
      hint: 'Name a new or an empty folder, so that nothing of yours is mixed with the layout.',
    });
  }
  const blobs = join(path, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true }).catch((cause: unknown) => {
    throw writeError(cause, blobs);
  });
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] };
  await writeFileAtomically(join(path, 'index.json'), toJson(index), {}, context);
  await writeFileAtomically(join(path, 'oci-layout'), toJson({ imageLayoutVersion: '1.0.0' }), {}, context);
}

/** Stores a blob when it is not there yet. @throws BoltsealError DIGEST_MISMATCH, SIZE_MISMATCH, FILE_UNWRITABLE */
export async function writeLayoutBlob(
  root: string,
  { digest, size }: Descriptor,
  open: () => Readable | Uint8Array,
  context: Context,
): Promise<void> {
  const path = join(root, blobPath(digest));
  if ((await sizeOf(path)) === size) return;
  const check = verifyingStream({ digest, size }, `the blob ${digest}`);
  await writeFileAtomically(path, open(), { check }, context);
}

/**
 * Stores a manifest and lists it in `index.json`. One with a subject is listed the two ways other tools look for it: as an
 * entry of its own, and in the index under the subject's fallback tag.
 *
 * @throws BoltsealError MANIFEST_INVALID, LAYOUT_INVALID, FILE_UNWRITABLE
 */
export async function writeLayoutManifest(
  root: string,
  bytes: Uint8Array,
  { tag, nested = false }: WriteOptions,
  context: Context,
): Promise<Descriptor> {
  const digest = digestOf(bytes);
  const manifest = parseManifest(bytes, undefined, `the manifest ${digest}`);
  const descriptor = { mediaType: manifest.mediaType, digest, size: bytes.length };
  await writeLayoutBlob(root, descriptor, () => bytes, context);
  // It is found through the index that names it; an entry of its own would make it look like another image.
  if (nested && tag === undefined && manifest.subject === undefined) return descriptor;
  const update = async (): Promise<void> => {
    const index = await readLayoutIndex(directoryFiles(root));
    const listed = describeReferrer({ digest, bytes, manifest });
    // A manifest's own annotations are not copied: one of them could pass for a tag.
    const { annotations: _, ...entry } = listed;
    let entries = addEntry(index.entries, entry, tag);
    if (manifest.subject !== undefined) {
      const subject = manifest.subject.digest;
      const fallback = await writeFallback(root, { index, subject, referrer: listed }, context);
      entries = addEntry(entries, fallback, referrersTag(subject));
    }
    await writeFileAtomically(
      join(root, 'index.json'),
      toJson({ ...index.raw, manifests: entries.map(({ raw }) => raw) }),
      {},
      context,
    );
  };
  await withFileLock(join(root, LOCK_NAME), update, context);
  return descriptor;
}

interface FallbackUpdate {
  readonly index: LayoutIndex;
  readonly subject: Digest;
  readonly referrer: Descriptor;
}

/** Writes the list of referrers with one more in it, and returns what describes the list. */
async function writeFallback(
  root: string,
  { index, subject, referrer }: FallbackUpdate,
  context: Context,
): Promise<Descriptor> {
  const files = directoryFiles(root);
  const before = await findFallback(files, index, subject);
  if (before !== undefined && before.manifest.kind !== 'index')
    throw invalidLayout(files, `its tag ${referrersTag(subject)} is an image and not a list of referrers`);
  const raw: unknown = before === undefined ? {} : JSON.parse(Buffer.from(before.bytes).toString('utf8'));
  const kept =
    before?.manifest.kind === 'index'
      ? before.manifest.manifests.filter(({ digest }) => digest !== referrer.digest)
      : [];
  const bytes = toJson({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociIndex,
    ...(raw as object),
    manifests: [...kept, referrer],
  });
  const descriptor = { mediaType: MEDIA_TYPES.ociIndex, digest: digestOf(bytes), size: bytes.length };
  await writeLayoutBlob(root, descriptor, () => bytes, context);
  return descriptor;
}

/** A tag stands for one manifest, and a manifest that has a tag needs no entry without one. */
function addEntry(entries: readonly LayoutEntry[], added: Descriptor, tag: string | undefined): readonly LayoutEntry[] {
  const isSame = ({ descriptor }: LayoutEntry): boolean => descriptor.digest === added.digest;
  if (tag === undefined) return entries.some(isSame) ? entries : [...entries, { raw: added, descriptor: added }];
  const descriptor = { ...added, annotations: { [TAG_ANNOTATION]: tag } };
  const kept = entries.filter((entry) => entry.tag !== tag && !(entry.tag === undefined && isSame(entry)));
  return [...kept, { raw: descriptor, descriptor, tag }];
}

async function list(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return [];
    throw writeError(cause, path);
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return undefined;
    throw readError(cause, path);
  }
}

function toJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** Whoever changes `index.json` holds this lock. */
export const LOCK_NAME = '.boltseal.lock';
const CREATED: ReadonlySet<string> = new Set(['oci-layout', 'index.json', 'blobs']);
