import { BoltsealError } from '../base/errors.ts';
import type { Digest } from '../oci/digest.ts';
import { isReferrersTag } from './layout-referrers.ts';
import type { LayoutFiles } from './layout-files.ts';
import { invalidLayout, readLayoutIndex, type LayoutEntry } from './layout-index.ts';
import { findLayoutManifest } from './layout-reader.ts';

interface Named {
  readonly tag?: string;
  readonly digest?: Digest;
}

/**
 * The digest of what a person named in a layout. A digest decides by itself; a tag is looked up, also where a tool wrote a
 * full name that ends in it; without either, the layout must hold one image.
 *
 * @throws BoltsealError NOT_FOUND, REFERENCE_AMBIGUOUS, LAYOUT_INVALID
 */
export async function resolveInLayout(files: LayoutFiles, { tag, digest }: Named): Promise<Digest> {
  if (digest !== undefined) return digest;
  const { entries } = await readLayoutIndex(files);
  const images = entries.filter((entry) => entry.tag === undefined || !isReferrersTag(entry.tag));
  return tag === undefined ? resolveOnly(files, images) : resolveTag(files, entries, tag);
}

function resolveTag(files: LayoutFiles, entries: readonly LayoutEntry[], tag: string): Digest {
  const exact = entries.filter((entry) => entry.tag === tag);
  const named = exact.length > 0 ? exact : entries.filter((entry) => entry.tag?.endsWith(`:${tag}`));
  const digests = [...new Set(named.map(({ descriptor }) => descriptor.digest))];
  const [first] = digests;
  if (first === undefined) {
    throw new BoltsealError('NOT_FOUND', `${files.name} has no tag "${tag}": it has ${describe(entries)}`, {
      hint: 'Name one of the tags that are there, or a digest.',
    });
  }
  if (digests.length === 1) return first;
  if (exact.length > 0) throw invalidLayout(files, `the tag "${tag}" stands for ${digests.join(' and ')}`);
  throw ambiguous(files, named, `several names in it end in ":${tag}"`);
}

async function resolveOnly(files: LayoutFiles, entries: readonly LayoutEntry[]): Promise<Digest> {
  const digests = new Set(entries.map(({ descriptor }) => descriptor.digest));
  const kept = digests.size > 1 ? await withoutReferrers(files, entries) : entries;
  const [first, ...others] = [...new Set(kept.map(({ descriptor }) => descriptor.digest))];
  if (first === undefined) {
    throw new BoltsealError('NOT_FOUND', `${files.name} holds no image`, {
      hint: 'Copy an image into it first, for example with skopeo copy … oci:DIR:TAG.',
    });
  }
  if (others.length === 0) return first;
  throw ambiguous(files, kept, 'it holds several images');
}

/** What is attached to an image is an entry like it, and told apart by its subject. */
async function withoutReferrers(files: LayoutFiles, entries: readonly LayoutEntry[]): Promise<readonly LayoutEntry[]> {
  const checked = await Promise.all(
    entries.map(async (entry) => {
      const stored = await findLayoutManifest(files, entry.descriptor.digest);
      return { entry, isReferrer: stored?.manifest.subject !== undefined };
    }),
  );
  return checked.filter(({ isReferrer }) => !isReferrer).map(({ entry }) => entry);
}

function ambiguous(files: LayoutFiles, entries: readonly LayoutEntry[], why: string): BoltsealError {
  return new BoltsealError(
    'REFERENCE_AMBIGUOUS',
    `${files.name} does not say which image is meant: ${why}, ${describe(entries)}`,
    {
      hint: 'Name one by its tag or digest: oci:DIR:TAG or oci:DIR@sha256:….',
    },
  );
}

function describe(entries: readonly LayoutEntry[]): string {
  const names = entries.map(({ tag, descriptor }) =>
    tag === undefined ? descriptor.digest : `${tag} (${descriptor.digest})`,
  );
  const shown = [...new Set(names)].slice(0, MAX_SHOWN);
  if (shown.length === 0) return 'nothing';
  return shown.join(', ') + (names.length > shown.length ? ` and ${names.length - shown.length} more` : '');
}

const MAX_SHOWN = 20;
