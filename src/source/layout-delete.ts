import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { asArray, asObject } from '../base/shape.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { digestOf, type Digest } from '../oci/digest.ts';
import { writeFileAtomically } from './atomic-file.ts';
import { writeError } from './file-error.ts';
import { withFileLock } from './file-lock.ts';
import { directoryFiles } from './layout-files.ts';
import { blobPath, readLayoutIndex, TAG_ANNOTATION, type LayoutEntry, type LayoutIndex } from './layout-index.ts';
import { findLayoutManifest } from './layout-reader.ts';
import { findFallback } from './layout-referrers.ts';
import { LOCK_NAME, writeLayoutBlob } from './layout-writer.ts';
import { referrersTag } from './referrer-entry.ts';

/** Takes a referrer off the list under its subject's fallback tag in a layout. False when it is not on it. */
export async function unlistLayoutReferrer(
  root: string,
  { subject, referrer }: { readonly subject: Digest; readonly referrer: Digest },
  context: Context,
): Promise<boolean> {
  return changeIndex(
    root,
    async (index) => {
      const before = await findFallback(directoryFiles(root), index, subject);
      if (before?.manifest.kind !== 'index') return undefined;
      const { manifests } = before.manifest;
      if (manifests.every(({ digest }) => digest !== referrer)) return undefined;
      const others = index.entries.filter(({ tag }) => tag !== referrersTag(subject));
      if (manifests.length === 1) return others.map(({ raw }) => raw);
      const bytes = withoutEntry(before.bytes, referrer);
      const list = { mediaType: before.manifest.mediaType, digest: digestOf(bytes), size: bytes.length };
      await writeLayoutBlob(root, list, () => bytes, context);
      return [...others.map(({ raw }) => raw), tagged(list, referrersTag(subject))];
    },
    context,
  );
}

/**
 * Removes a manifest from a layout: its entries in `index.json`, then its blob.
 *
 * @throws BoltsealError NOT_FOUND, LAYOUT_INVALID, FILE_UNWRITABLE
 */
export async function deleteLayoutManifest(root: string, digest: Digest, context: Context): Promise<void> {
  const files = directoryFiles(root);
  if ((await findLayoutManifest(files, digest)) === undefined) {
    throw new BoltsealError('NOT_FOUND', `${digest} is not in ${root}`, {
      hint: 'It may have been removed already. List what is there with "boltseal discover".',
    });
  }
  const isOther = ({ descriptor }: LayoutEntry): boolean => descriptor.digest !== digest;
  const remove = async ({ entries }: LayoutIndex): Promise<readonly unknown[] | undefined> =>
    entries.every(isOther) ? undefined : entries.filter(isOther).map(({ raw }) => raw);
  await changeIndex(root, remove, context);
  const path = join(root, blobPath(digest));
  await rm(path, { force: true }).catch((cause: unknown) => {
    throw writeError(cause, path);
  });
}

/** Writes `index.json` with other entries while nobody else does; `change` returns undefined to leave it. */
async function changeIndex(
  root: string,
  change: (index: LayoutIndex) => Promise<readonly unknown[] | undefined>,
  context: Context,
): Promise<boolean> {
  const update = async (): Promise<boolean> => {
    const index = await readLayoutIndex(directoryFiles(root));
    const manifests = await change(index);
    if (manifests === undefined) return false;
    const bytes = Buffer.from(JSON.stringify({ ...index.raw, manifests }));
    await writeFileAtomically(join(root, 'index.json'), bytes, {}, context);
    return true;
  };
  return withFileLock(join(root, LOCK_NAME), update, context);
}

/** The same document with one entry less; what it says beside is kept. */
function withoutEntry(bytes: Uint8Array, referrer: Digest): Uint8Array {
  const what = 'the list of referrers';
  const document = asObject(parseJson(bytes, { what, maxBytes: LIMITS.manifestBytes }), what);
  const entries = asArray(document['manifests'], 'manifests');
  const manifests = entries.filter((entry) => asObject(entry, 'entry')['digest'] !== referrer);
  return Buffer.from(JSON.stringify({ ...document, manifests }));
}

function tagged(list: Descriptor, tag: string): Descriptor {
  return { ...list, annotations: { [TAG_ANNOTATION]: tag } };
}
