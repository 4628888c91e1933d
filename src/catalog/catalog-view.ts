import type { FileTree } from '../image/file-tree.ts';
import type { Cataloger, CatalogView, Extraction } from './cataloger.ts';
import type { Distro } from './distro.ts';
import type { LayerHistory } from './layer-history.ts';
import type { LayerRef } from './package.ts';
import type { ScannedLayer } from './scan-layer.ts';
import { recordKey, type VisibleFile } from './visible-files.ts';

export interface ViewInput {
  readonly tree: FileTree;
  readonly scanned: readonly ScannedLayer[];
  readonly history: LayerHistory;
  readonly layers: readonly LayerRef[];
  readonly distro: Distro | undefined;
}

/** What one cataloger's second half gets to see. */
export function catalogView(
  cataloger: Cataloger,
  files: readonly VisibleFile[],
  { tree, scanned, history, layers, distro }: ViewInput,
): CatalogView<unknown> {
  const extractionOf = (file: VisibleFile): Extraction | undefined =>
    scanned[file.content.layerIndex]?.records.get(cataloger.name)?.get(recordKey(file));
  const fileOf = new Map(files.map((file) => [file.path, file]));
  const resolveFile = (path: string): VisibleFile | undefined =>
    fileOf.get(path) ?? fileOf.get(tree.resolve(path)?.path ?? '');
  const recordOf = (file: VisibleFile): { readonly path: string; readonly record: unknown }[] => {
    const extraction = extractionOf(file);
    return extraction?.ok === true ? [{ path: file.path, record: extraction.record }] : [];
  };
  return {
    tree,
    distro,
    records: files.flatMap(recordOf),
    at: (path) => {
      const file = resolveFile(path);
      return file === undefined ? undefined : recordOf(file)[0];
    },
    broughtBy: (path, holds) => {
      const file = resolveFile(path);
      const top = file?.entry.layerIndex ?? 0;
      const since = history.since(cataloger.name, file?.entry.path ?? path, { top, holds });
      return layerAt(layers, since);
    },
    failures: files.flatMap((file) => {
      const extraction = extractionOf(file);
      if (extraction?.ok === true || (extraction === undefined && wasSeen(file, cataloger, scanned))) return [];
      const reason = extraction?.reason ?? 'its bytes were not found in the layer they should be in';
      return [{ path: file.path, entry: file.entry, reason }];
    }),
  };
}

/** A file that was looked at and is of no concern has an entry without a value. */
function wasSeen(file: VisibleFile, cataloger: Cataloger, scanned: readonly ScannedLayer[]): boolean {
  return scanned[file.content.layerIndex]?.records.get(cataloger.name)?.has(recordKey(file)) === true;
}

function layerAt(layers: readonly LayerRef[], index: number): LayerRef {
  const layer = layers[index];
  if (layer === undefined) throw new Error(`an image without layer ${index} has a file in it`);
  return layer;
}
