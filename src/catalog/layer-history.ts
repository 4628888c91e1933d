import type { LayerListing } from '../image/file-tree.ts';
import type { Extraction } from './cataloger.ts';
import type { ScannedLayer } from './scan-layer.ts';

/** What each layer did to single paths, for finding out since when something is there. */
export interface LayerHistory {
  /**
   * The index of the lowest layer from which `holds` is true of what `cataloger` kept of `path`, in every layer up to `top`
   * that wrote the path, with no layer in between in which it is deleted.
   */
  since(
    cataloger: string,
    path: string,
    span: { readonly top: number; readonly holds: (record: unknown) => boolean },
  ): number;
}

export function layerHistory(layers: readonly ScannedLayer[]): LayerHistory {
  const marks = layers.map(({ listing }) => marksOf(listing));
  const stateOf = (layer: number, cataloger: string, path: string): Extraction | 'absent' | 'unread' | undefined => {
    const written = marks[layer]?.hardlinks.get(path) ?? path;
    const records = layers[layer]?.records.get(cataloger);
    if (records?.has(written) === true) return records.get(written) ?? 'unread';
    return isDeleted(path, marks[layer]?.whiteouts ?? new Set()) ? 'absent' : undefined;
  };
  return {
    since: (cataloger, path, { top, holds }) => {
      let since = top;
      for (let layer = top - 1; layer >= 0; layer -= 1) {
        const state = stateOf(layer, cataloger, path);
        if (state === undefined) continue;
        if (state === 'absent' || state === 'unread' || !state.ok || !holds(state.record)) break;
        since = layer;
      }
      return since;
    },
  };
}

interface LayerMarks {
  readonly whiteouts: ReadonlySet<string>;
  /** Name → the name in the same layer that has the bytes. */
  readonly hardlinks: ReadonlyMap<string, string>;
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

function marksOf({ entries }: LayerListing): LayerMarks {
  const whiteouts = new Set<string>();
  const hardlinks = new Map<string, string>();
  for (const { path, type, linkTarget } of entries) {
    if (path.startsWith(WHITEOUT, path.lastIndexOf('/') + 1)) whiteouts.add(path);
    else if (type === 'hardlink' && linkTarget !== undefined) hardlinks.set(path, linkTarget);
  }
  return { whiteouts, hardlinks };
}

/** Whether a layer's whiteouts take a path away: itself, a directory above it, or all that was in such a directory. */
function isDeleted(path: string, whiteouts: ReadonlySet<string>): boolean {
  if (whiteouts.size === 0) return false;
  const parts = path.split('/');
  return parts.some((part, at) => {
    const above = parts
      .slice(0, at)
      .map((name) => `${name}/`)
      .join('');
    return whiteouts.has(above + WHITEOUT + part) || whiteouts.has(above + OPAQUE);
  });
}
