import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import { renderCycloneDx } from '../bom/cyclonedx/render.ts';
import type { Inventory } from '../catalog/inventory.ts';
import { takeDirectoryInventory } from '../catalog/take-directory-inventory.ts';
import { takeInventory } from '../catalog/take-inventory.ts';
import { loadImage } from '../image/load.ts';
import type { Digest } from '../oci/digest.ts';
import { formatReference, type DirectoryReference } from '../oci/reference.ts';
import type { Source } from '../source/source.ts';
import { formatPinned, nameImage, openReference, type ImageOptions } from './open-image.ts';

const TOOL = { name: 'boltseal', version: VERSION } as const;

export interface GeneratedBom {
  readonly reference: string;
  /** Of the platform's manifest, which is what the document is about; a folder has none. */
  readonly digest?: Digest;
  /** CycloneDX 1.6 JSON. */
  readonly bytes: Uint8Array;
  readonly inventory: Inventory;
}

/**
 * Writes an image's SBOM: reference → source → image → layers → inventory → document. The same image, options and version
 * give the same bytes. A file-system root on disk (`dir:PATH`) has no manifest and no layers, and is walked as it is.
 *
 * @throws BoltsealError the codes of references, registries, layers and platforms
 */
export async function generateBom(image: string, options: ImageOptions, context: Context): Promise<GeneratedBom> {
  const reference = await nameImage(image, context);
  if (reference.kind === 'directory') return directoryBom(reference, options, context);
  await using source = await openReference(reference, options, context);
  return await bomOf(source, await source.resolve(), options, context);
}

async function directoryBom(
  reference: DirectoryReference,
  { platform }: ImageOptions,
  context: Context,
): Promise<GeneratedBom> {
  if (platform !== undefined) {
    throw new BoltsealError('USAGE', `${formatReference(reference)} is a folder, and a folder is for no platform`, {
      hint: 'Leave --platform out.',
    });
  }
  const inventory = await takeDirectoryInventory(reference.path, context);
  const bytes = renderCycloneDx(inventory, { reference }, { tool: TOOL }, context);
  return { reference: formatReference(reference), bytes, inventory };
}

/** The SBOM of the image with this digest, or of the one that `platform` chooses of the index with this digest. */
export async function bomOf(
  source: Source,
  digest: Digest,
  { platform }: ImageOptions,
  context: Context,
): Promise<GeneratedBom> {
  const image = await loadImage(source, digest, platform === undefined ? {} : { platform }, context);
  const inventory = await takeInventory(source, image, {}, context);
  const bytes = renderCycloneDx(inventory, { ...image, reference: source.reference }, { tool: TOOL }, context);
  return { reference: formatPinned(source.reference, image.digest), digest: image.digest, bytes, inventory };
}
