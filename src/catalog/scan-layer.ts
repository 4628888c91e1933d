import type { Context } from '../base/context.ts';
import type { BodySink, LayerListing, TarEntry } from '../image/file-tree.ts';
import type { Layer } from '../image/image.ts';
import { walkLayer } from '../image/walk-layer.ts';
import type { BlobReader } from '../source/source.ts';
import type { Cataloger, Extraction, FileSink } from './cataloger.ts';

/** What the extracting halves kept of one layer: cataloger's name → record key (a path) → what became of the file. */
export type LayerRecords = ReadonlyMap<string, ReadonlyMap<string, Extraction | undefined>>;

export interface ScannedLayer {
  readonly listing: LayerListing;
  readonly records: LayerRecords;
}

/** A cataloger that wants a body, the name under which it wants it, and the key for what it keeps. */
export interface Wanted {
  readonly cataloger: Cataloger;
  readonly path: string;
  readonly key: string;
}

interface ScanOptions {
  readonly wantedBy: (entry: TarEntry) => readonly Wanted[];
}

/**
 * Streams one layer past the catalogers' first halves.
 *
 * @throws BoltsealError LAYER_INVALID, DIGEST_MISMATCH, LIMIT_EXCEEDED and the source's own codes
 */
export async function scanLayer(
  source: BlobReader,
  layer: Layer,
  { wantedBy }: ScanOptions,
  context: Context,
): Promise<ScannedLayer> {
  const records = new Map<string, Map<string, Extraction | undefined>>();
  const keep = ({ cataloger, key }: Wanted, extraction: Extraction | undefined): void => {
    const ofCataloger = records.get(cataloger.name) ?? new Map<string, Extraction | undefined>();
    records.set(cataloger.name, ofCataloger.set(key, extraction));
  };
  const visit = (entry: TarEntry): BodySink | undefined => {
    if (entry.type !== 'file') return undefined;
    const sinks = wantedBy(entry).map((wanted) => ({
      wanted,
      sink: wanted.cataloger.open({ ...entry, path: wanted.path }),
    }));
    return sinks.length === 0 ? undefined : fanOut(sinks, keep);
  };
  const listing = await walkLayer(source, layer, visit, context);
  return { listing, records };
}

interface OpenSink {
  readonly wanted: Wanted;
  readonly sink: FileSink;
}

/** One body for several sinks; a sink that has seen enough is left alone until the end. */
function fanOut(
  sinks: readonly OpenSink[],
  keep: (wanted: Wanted, extraction: Extraction | undefined) => void,
): BodySink {
  let reading = sinks;
  return {
    write: (chunk) => {
      reading = reading.filter(({ sink }) => sink.write(chunk));
      return reading.length > 0;
    },
    end: (complete) => {
      for (const { wanted, sink } of sinks)
        keep(wanted, sink.end(complete && reading.some((open) => open.sink === sink)));
    },
  };
}
