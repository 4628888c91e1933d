import type { Context } from '../base/context.ts';
import { VERSION } from '../base/version.ts';
import { renderCycloneDx } from '../bom/cyclonedx/render.ts';
import type { Inventory } from '../catalog/inventory.ts';
import { takeInventory } from '../catalog/take-inventory.ts';
import { loadImage } from '../image/load.ts';
import type { Digest } from '../oci/digest.ts';
import type { Source } from '../source/source.ts';
import { formatPinned, openImage, type ImageOptions } from './open-image.ts';

export interface GeneratedBom {
  readonly reference: string;
  /** Of the platform's manifest, which is what the document is about. */
  readonly digest: Digest;
  /** CycloneDX 1.6 JSON. */
  readonly bytes: Uint8Array;
  readonly inventory: Inventory;
}

/**
 * Writes an image's SBOM: reference → source → image → layers → inventory → document. The same image, options and version
 * give the same bytes.
 *
 * @throws BoltsealError the codes of references, registries, layers and platforms
 */
export async function generateBom(image: string, options: ImageOptions, context: Context): Promise<GeneratedBom> {
  await using source = await openImage(image, options, context);
  return await bomOf(source, await source.resolve(), options, context);
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
  const tool = { name: 'boltseal', version: VERSION };
  const bytes = renderCycloneDx(inventory, { ...image, reference: source.reference }, { tool }, context);
  return { reference: formatPinned(source.reference, image.digest), digest: image.digest, bytes, inventory };
}
