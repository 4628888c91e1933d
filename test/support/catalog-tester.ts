import type { Cataloger } from '../../src/catalog/cataloger.ts';
import type { Inventory } from '../../src/catalog/inventory.ts';
import { takeInventory } from '../../src/catalog/take-inventory.ts';
import { testContext } from './context.ts';
import { memoryImage, type TestLayer } from './memory-image.ts';

/** What one cataloger finds in an image of these layers, through the same pipeline as any image. */
export async function findingsOf(cataloger: Cataloger, ...layers: readonly TestLayer[]): Promise<Inventory> {
  const { source, image } = memoryImage(layers);
  return takeInventory(source, image, { catalogers: [cataloger] }, testContext());
}

/** Edges as `from → to`, by name. */
export function edgesOf({ packages, relations }: Inventory): readonly string[] {
  const nameOf = new Map(packages.map(({ purl, name, version }) => [purl, `${name}@${version ?? ''}`]));
  return relations.map(({ from, to }) => `${nameOf.get(from) ?? from} → ${nameOf.get(to) ?? to}`);
}
