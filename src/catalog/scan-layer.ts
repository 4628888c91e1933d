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
  const { records, open } = recordKeeper(wantedBy);
  const listing = await walkLayer(source, layer, open, context);
  return { listing, records };
}

interface RecordKeeper {
  readonly records: LayerRecords;
  /** The sink that feeds one file to every cataloger that wants it. */
  readonly open: (entry: TarEntry) => RecordSink | undefined;
}

interface RecordSink extends BodySink {
  /** Instead of `end`: the file is there and cannot be read. */
  fail(reason: string): void;
}

/** Gathers what the catalogers keep of the files that go by. */
export function recordKeeper(wantedBy: (entry: TarEntry) => readonly Wanted[]): RecordKeeper {
  const records = new Map<string, Map<string, Extraction | undefined>>();
  const keep = ({ cataloger, key }: Wanted, extraction: Extraction | undefined): void => {
    const ofCataloger = records.get(cataloger.name) ?? new Map<string, Extraction | undefined>();
    records.set(cataloger.name, ofCataloger.set(key, extraction));
  };
  const open = (entry: TarEntry): RecordSink | undefined => {
    if (entry.type !== 'file') return undefined;
    const sinks = wantedBy(entry).map((wanted) => ({
      wanted,
      sink: wanted.cataloger.open({ ...entry, path: wanted.path }),
    }));
    return sinks.length === 0 ? undefined : fanOut(sinks, keep);
  };
  return { records, open };
}

interface OpenSink {
  readonly wanted: Wanted;
  readonly sink: FileSink;
}

/** One body for several sinks; a sink that has seen enough is left alone until the end. */
function fanOut(
  sinks: readonly OpenSink[],
  keep: (wanted: Wanted, extraction: Extraction | undefined) => void,
): RecordSink {
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
    fail: (reason) => {
      for (const { wanted } of sinks) keep(wanted, { ok: false, reason });
    },
  };
}
