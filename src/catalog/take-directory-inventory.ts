import type { Context } from '../base/context.ts';
import { CATALOGERS } from './catalogers/index.ts';
import type { Inventory } from './inventory.ts';
import { scanDirectory } from './scan-directory.ts';
import { inventoryOf, selection } from './take-inventory.ts';

/**
 * Finds out what is in a file-system root on disk, by the same catalogers as an image. There are no layers: findings name
 * layer 0 without a diffID. What cannot be read is in `unknowns`.
 *
 * @throws BoltsealError FILE_NOT_FOUND, FILE_UNREADABLE (the root), LIMIT_EXCEEDED, INTERRUPTED
 */
export async function takeDirectoryInventory(root: string, context: Context): Promise<Inventory> {
  const first = await scanDirectory(root, selection(CATALOGERS), context);
  const inventory = await inventoryOf(
    {
      scanned: [first],
      layers: [{ index: 0 }],
      unread: first.unknowns,
      readAgain: async (wantedBy) => new Map([[0, (await scanDirectory(root, wantedBy(0), context)).records]]),
    },
    CATALOGERS,
  );
  return { ...inventory, layers: [] };
}
