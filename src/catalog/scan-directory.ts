import type { Context } from '../base/context.ts';
import type { LayerListing, TarEntry } from '../image/file-tree.ts';
import { walkDirectory } from '../image/walk-directory.ts';
import type { Unknown } from './package.ts';
import { recordKeeper, type ScannedLayer, type Wanted } from './scan-layer.ts';

export interface ScannedDirectory extends ScannedLayer {
  /** Names outside any cataloger's reach. */
  readonly unknowns: readonly Unknown[];
}

/**
 * Walks a folder past the catalogers' first halves, as if it were a layer.
 *
 * @throws BoltsealError, see walkDirectory
 */
export async function scanDirectory(
  root: string,
  wantedBy: (entry: TarEntry) => readonly Wanted[],
  context: Context,
): Promise<ScannedDirectory> {
  const { records, open } = recordKeeper(wantedBy);
  const { entries, unreadable } = await walkDirectory(root, open, context);
  const listing: LayerListing = { layerIndex: 0, entries };
  return { listing, records, unknowns: unreadable.map((found) => ({ ...found, cataloger: 'directory' })) };
}
