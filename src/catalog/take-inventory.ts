import type { Context } from '../base/context.ts';
import type { TarEntry } from '../image/file-tree.ts';
import { flatten } from '../image/flatten.ts';
import type { Image, Layer } from '../image/image.ts';
import type { BlobReader } from '../source/source.ts';
import { catalogView, type ViewInput } from './catalog-view.ts';
import type { Cataloger } from './cataloger.ts';
import { CATALOGERS } from './catalogers/index.ts';
import { distroOf, osReleaseReader } from './os-release.ts';
import type { Inventory } from './inventory.ts';
import { layerHistory } from './layer-history.ts';
import { mergeFindings, type NamedFindings } from './merge-findings.ts';
import type { LayerRef, Unknown } from './package.ts';
import { scanLayer, type LayerRecords, type ScannedLayer, type Wanted } from './scan-layer.ts';
import { recordKey, visibleFiles, type VisibleFile } from './visible-files.ts';

/** Decompression is most of the work and runs off the main thread: two layers at a time keep two cores busy. */
const LAYERS_AT_ONCE = 2;

interface InventoryOptions {
  /** All that boltseal knows, unless told otherwise. */
  readonly catalogers?: readonly Cataloger[];
}

/**
 * Finds out what is in an image. Every layer is streamed once, whatever the number of catalogers; a second, partial look at
 * a layer is taken only when an interesting name turns out to be a link to a body that nobody kept. What was there and
 * could not be read is in `unknowns`; a layer that cannot be read at all fails the inventory.
 *
 * @throws BoltsealError LAYER_INVALID, DIGEST_MISMATCH, LIMIT_EXCEEDED and the source's own codes
 */
export async function takeInventory(
  source: BlobReader,
  image: Image,
  { catalogers = CATALOGERS }: InventoryOptions,
  context: Context,
): Promise<Inventory> {
  const wantedBy = selection(catalogers);
  const scan = (layer: Layer, inner: Context): Promise<ScannedLayer> => scanLayer(source, layer, { wantedBy }, inner);
  const scanned = await eachLayer({ source, layers: image.layers }, scan, context);
  const layers = image.layers.map(({ index, diffId }): LayerRef => ({ index, diffId }));
  const readAgain: Scanned['readAgain'] = (again, wanted) => readLayersAgain(source, { image, again, wanted }, context);
  return inventoryOf({ scanned, layers, unread: [], readAgain }, catalogers);
}

/** Which catalogers want to see a file when it comes by under its own name. */
export function selection(catalogers: readonly Cataloger[]): (entry: TarEntry) => readonly Wanted[] {
  const readers = [osReleaseReader, ...catalogers];
  return (entry) =>
    readers
      .filter((reader) => reader.selects(entry))
      .map((cataloger) => ({ cataloger, path: entry.path, key: entry.path }));
}

/** A first look at every layer, and how to take a second. */
export interface Scanned {
  readonly scanned: readonly ScannedLayer[];
  readonly layers: readonly LayerRef[];
  /** What could not be read outside any cataloger. */
  readonly unread: readonly Unknown[];
  /** The records of another look, by layer; `wanted` are the layers that have something to look at. */
  readonly readAgain: (
    wantedBy: (layerIndex: number) => (entry: TarEntry) => readonly Wanted[],
    wanted: ReadonlySet<number>,
  ) => Promise<ReadonlyMap<number, LayerRecords>>;
}

/** What the catalogers make of what was read. */
export async function inventoryOf(looked: Scanned, catalogers: readonly Cataloger[]): Promise<Inventory> {
  const { layers } = looked;
  const tree = flatten(looked.scanned.map(({ listing }) => listing));
  const files = visibleFiles(tree, [osReleaseReader, ...catalogers]);
  const scanned = await readMissing(looked, files);
  const input: ViewInput = { tree, scanned, layers, history: layerHistory(scanned), distro: undefined };
  return catalogAll(catalogers, { files, unread: looked.unread }, input);
}

type FilesOf = ReadonlyMap<Cataloger, readonly VisibleFile[]>;

function catalogAll(
  catalogers: readonly Cataloger[],
  { files, unread }: { readonly files: FilesOf; readonly unread: readonly Unknown[] },
  input: ViewInput,
): Inventory {
  const osRelease = catalogView(osReleaseReader, files.get(osReleaseReader) ?? [], input);
  const distro = distroOf(osRelease as Parameters<typeof distroOf>[0]);
  const findings = catalogers.map((cataloger): NamedFindings => {
    const view = catalogView(cataloger, files.get(cataloger) ?? [], { ...input, distro });
    const found = cataloger.catalog(view);
    const unknowns = [...found.unknowns, ...failuresOf(view.failures, cataloger, input.layers)];
    return { ...found, unknowns, cataloger };
  });
  const failures = failuresOf(osRelease.failures, osReleaseReader, input.layers);
  return mergeFindings(findings, { distro, layers: input.layers, unread: [...unread, ...failures] });
}

function failuresOf(
  failures: ReturnType<typeof catalogView>['failures'],
  cataloger: Cataloger,
  layers: readonly LayerRef[],
): readonly Unknown[] {
  return failures.map(({ path, entry, reason }) => {
    const layer = layers[entry.layerIndex];
    return { path, ...(layer === undefined ? {} : { layer }), cataloger: cataloger.name, reason };
  });
}

/** Bodies wanted under a link's name only: one more walk over each layer that has such, and none over the others. */
async function readMissing({ scanned, readAgain }: Scanned, files: FilesOf): Promise<readonly ScannedLayer[]> {
  const missing = [...files].flatMap(([cataloger, visible]) =>
    visible
      .filter(({ offered }) => !offered)
      .map((file) => ({ cataloger, content: file.content, path: file.path, key: recordKey(file) })),
  );
  if (missing.length === 0) return scanned;
  const wantedBy = (layerIndex: number): ((entry: TarEntry) => readonly Wanted[]) => {
    const here = Map.groupBy(
      missing.filter(({ content }) => content.layerIndex === layerIndex),
      ({ content }) => content.path,
    );
    return ({ path }) => here.get(path) ?? [];
  };
  const extra = await readAgain(wantedBy, new Set(missing.map(({ content }) => content.layerIndex)));
  return scanned.map((layer, index) => ({ ...layer, records: joined(layer.records, extra.get(index)) }));
}

interface SecondLook {
  readonly image: Image;
  readonly again: Parameters<Scanned['readAgain']>[0];
  readonly wanted: ReadonlySet<number>;
}

async function readLayersAgain(
  source: BlobReader,
  { image, again, wanted }: SecondLook,
  context: Context,
): Promise<ReadonlyMap<number, LayerRecords>> {
  const layers = image.layers.filter(({ index }) => wanted.has(index));
  const second = await eachLayer(
    { source, layers },
    async (layer, inner) => {
      const { records } = await scanLayer(source, layer, { wantedBy: again(layer.index) }, inner);
      return { index: layer.index, records };
    },
    context,
  );
  return new Map(second.map(({ index, records }) => [index, records]));
}

function joined(records: LayerRecords, more: LayerRecords | undefined): LayerRecords {
  if (more === undefined) return records;
  const names = new Set([...records.keys(), ...more.keys()]);
  return new Map([...names].map((name) => [name, new Map([...(records.get(name) ?? []), ...(more.get(name) ?? [])])]));
}

interface LayersOf {
  readonly source: BlobReader;
  readonly layers: readonly Layer[];
}

/**
 * Runs `work` over the layers, a few at a time, or one after the other where the source says in which order; the results are
 * in the order of the layers. The first failure stops the others and is thrown.
 */
async function eachLayer<Out>(
  { source, layers }: LayersOf,
  work: (layer: Layer, context: Context) => Promise<Out>,
  context: Context,
): Promise<readonly Out[]> {
  const results: Out[] = [];
  const stop = new AbortController();
  const inner = { ...context, signal: AbortSignal.any([context.signal, stop.signal]) };
  const position = source.blobPosition;
  const places = [...layers.entries()];
  const queue =
    position === undefined
      ? places.values()
      : places.toSorted(([, a], [, b]) => position(a.descriptor.digest) - position(b.descriptor.digest)).values();
  const worker = async (): Promise<void> => {
    for (const [index, layer] of queue) {
      inner.signal.throwIfAborted();
      results[index] = await work(layer, inner);
    }
  };
  const workers = Array.from({ length: position === undefined ? LAYERS_AT_ONCE : 1 }, worker);
  try {
    await Promise.all(workers);
  } catch (error) {
    stop.abort();
    await Promise.allSettled(workers);
    throw error;
  }
  return results;
}
