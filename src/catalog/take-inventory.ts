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
  const readers = [osReleaseReader, ...catalogers];
  const wantedBy = (entry: TarEntry): readonly Wanted[] =>
    readers
      .filter((reader) => reader.selects(entry))
      .map((cataloger) => ({ cataloger, path: entry.path, key: entry.path }));
  const scan = (layer: Layer, inner: Context): Promise<ScannedLayer> => scanLayer(source, layer, { wantedBy }, inner);
  const first = await eachLayer({ source, layers: image.layers }, scan, context);
  const tree = flatten(first.map(({ listing }) => listing));
  const files = visibleFiles(tree, readers);
  const scanned = await readMissing(source, image, { first, files }, context);
  const layers = image.layers.map(({ index, diffId }): LayerRef => ({ index, diffId }));
  const input: ViewInput = { tree, scanned, layers, history: layerHistory(scanned), distro: undefined };
  return catalogAll(catalogers, files, input);
}

type FilesOf = ReadonlyMap<Cataloger, readonly VisibleFile[]>;

function catalogAll(catalogers: readonly Cataloger[], files: FilesOf, input: ViewInput): Inventory {
  const osRelease = catalogView(osReleaseReader, files.get(osReleaseReader) ?? [], input);
  const distro = distroOf(osRelease as Parameters<typeof distroOf>[0]);
  const findings = catalogers.map((cataloger): NamedFindings => {
    const view = catalogView(cataloger, files.get(cataloger) ?? [], { ...input, distro });
    const found = cataloger.catalog(view);
    const unknowns = [...found.unknowns, ...failuresOf(view.failures, cataloger, input.layers)];
    return { ...found, unknowns, cataloger };
  });
  const unread = failuresOf(osRelease.failures, osReleaseReader, input.layers);
  return mergeFindings(findings, { distro, layers: input.layers, unread });
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

interface FirstPass {
  readonly first: readonly ScannedLayer[];
  readonly files: FilesOf;
}

/** Bodies wanted under a link's name only: one more walk over each layer that has such, and none over the others. */
async function readMissing(
  source: BlobReader,
  image: Image,
  { first, files }: FirstPass,
  context: Context,
): Promise<readonly ScannedLayer[]> {
  const missing = [...files].flatMap(([cataloger, visible]) =>
    visible
      .filter(({ offered }) => !offered)
      .map((file) => ({ cataloger, content: file.content, path: file.path, key: recordKey(file) })),
  );
  const layers = image.layers.filter(({ index }) => missing.some(({ content }) => content.layerIndex === index));
  const second = await eachLayer(
    { source, layers },
    async (layer, inner) => {
      const here = Map.groupBy(
        missing.filter(({ content }) => content.layerIndex === layer.index),
        ({ content }) => content.path,
      );
      const wantedBy = ({ path }: TarEntry): readonly Wanted[] => here.get(path) ?? [];
      return { index: layer.index, records: (await scanLayer(source, layer, { wantedBy }, inner)).records };
    },
    context,
  );
  const extra = new Map(second.map(({ index, records }) => [index, records]));
  return first.map((layer, index) => ({ ...layer, records: joined(layer.records, extra.get(index)) }));
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
