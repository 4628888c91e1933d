import { createHash } from 'node:crypto';
import { Transform, Writable, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Context } from '../base/context.ts';
import { BoltsealError, isBoltsealError, messageOf } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { algorithmOf, finishDigest } from '../oci/digest.ts';
import type { BlobReader } from '../source/source.ts';
import { decompressors, detectCompression, MAGIC_BYTES, peek } from '../tar/decompress.ts';
import { TarReader } from '../tar/reader.ts';
import type { BodySink, LayerListing, TarEntry } from './file-tree.ts';
import type { Layer } from './image.ts';
import { compressionOfLayerType } from './layer-type.ts';

/** Called for each regular file of a layer, in archive order. The sink it returns gets the body. */
export type FileVisitor = (entry: TarEntry) => BodySink | undefined;

/**
 * Reads one layer in one streaming pass: blob, its digest, decompression, digest of the tar, tar. Nothing is written to disk,
 * and no more than a few chunks are in memory. When the promise resolves, the blob matched its descriptor and the tar its
 * diffID; what a visitor gathered must not be used before. A name that comes twice in a layer is visited twice: the last counts.
 *
 * @throws BoltsealError LAYER_INVALID, DIGEST_MISMATCH, SIZE_MISMATCH, LIMIT_EXCEEDED, INTERRUPTED, and the source's codes
 */
export async function walkLayer(
  source: BlobReader,
  layer: Layer,
  visit: FileVisitor,
  context: Context,
): Promise<LayerListing> {
  const declared = compressionOfLayerType(layer);
  const entries: TarEntry[] = [];
  const reader = new TarReader((entry) => {
    entries.push(entry);
    return entry.type === 'file' ? visit(entry) : undefined;
  });
  try {
    context.signal.throwIfAborted();
    const blob = await source.readBlob(layer.descriptor);
    await readTar(blob, { reader, layer, declared, context });
  } catch (cause) {
    throw await explain(cause, { source, layer, context });
  }
  return { layerIndex: layer.index, entries };
}

interface Reading {
  readonly reader: TarReader;
  readonly layer: Layer;
  readonly declared: string;
  readonly context: Context;
}

async function readTar(blob: Readable, { reader, layer, declared, context }: Reading): Promise<void> {
  try {
    const compression = detectCompression(await peek(blob, MAGIC_BYTES, context.signal));
    if (compression !== declared) context.emit({ kind: 'warning', message: mislabelled(layer, declared, compression) });
    // Stored as it is, the tar is the blob, and the source checks that.
    const isBlob = compression === 'none' && layer.descriptor.digest === layer.diffId;
    const hash = createHash(algorithmOf(layer.diffId));
    const tar = tarSink((chunk) => {
      if (!isBlob) hash.update(chunk);
      reader.write(chunk);
    });
    const progress = progressOf(layer, context);
    await pipeline([blob, progress, ...decompressors(compression), tar], { signal: context.signal });
    reader.end();
    const found = finishDigest(hash, algorithmOf(layer.diffId));
    if (!isBlob && found !== layer.diffId) throw wrongDiffId(layer, found);
  } finally {
    blob.destroy();
  }
}

/**
 * Takes decompressed chunks, and works on each in a later turn of the event loop: zlib hands a chunk over before it starts on
 * the next, so work done at once would wait for the thread pool and the thread pool for it.
 */
function tarSink(work: (chunk: Uint8Array) => void): Writable {
  let tarBytes = 0;
  return new Writable({
    highWaterMark: QUEUE_BYTES,
    write(chunk: Uint8Array, _encoding, done) {
      setImmediate(() => {
        try {
          tarBytes += chunk.length;
          if (tarBytes > LIMITS.layerBytes) throw tooLarge();
          work(chunk);
          done();
        } catch (cause) {
          done(cause as Error);
        }
      });
    },
  });
}

/** Reports the stored bytes that went by, a few times per MiB at most. */
function progressOf({ descriptor }: Layer, context: Context): Transform {
  let doneBytes = 0;
  let reportedBytes = 0;
  const report = (): void => {
    reportedBytes = doneBytes;
    context.emit({ kind: 'bytes', id: descriptor.digest, doneBytes, totalBytes: descriptor.size });
  };
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      doneBytes += chunk.length;
      if (doneBytes - reportedBytes >= REPORT_BYTES) report();
      done(null, chunk);
    },
    flush(done) {
      report();
      done();
    },
  });
}

/**
 * Turns what went wrong into an error about this layer. Damaged bytes are noticed by the decompressor or the tar reader long
 * before their digest is known, so the blob is read again to its end: when it is not what its descriptor says, that is the news.
 */
async function explain(
  cause: unknown,
  { source, layer, context }: { readonly source: BlobReader; readonly layer: Layer; readonly context: Context },
): Promise<unknown> {
  if (context.signal.aborted) {
    return new BoltsealError('INTERRUPTED', `reading layer ${layer.index} was interrupted`, {
      hint: 'Run the command again.',
      cause,
    });
  }
  if (isBoltsealError(cause) || !isFormatProblem(cause)) return cause;
  try {
    const blob = await source.readBlob(layer.descriptor);
    await pipeline(blob, new Writable({ write: (_chunk, _encoding, done) => done() }), { signal: context.signal });
  } catch (mismatch) {
    return mismatch;
  }
  return new BoltsealError(
    'LAYER_INVALID',
    `layer ${layer.index} (${layer.descriptor.digest}) is malformed: ${messageOf(cause)}`,
    {
      hint: 'The bytes are those that were pushed, so the image was broken when it was built. Build and push it again.',
      cause,
    },
  );
}

/** Of our tar and zstd readers, or of zlib's. Everything else is a failure to read, or a bug, and stays what it is. */
function isFormatProblem(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return (error instanceof Error && error.name === 'FormatError') || /^(?:Z_|ZSTD_|ERR_ZSTD|ERR_ZLIB)/.test(code);
}

function wrongDiffId(layer: Layer, found: string): BoltsealError {
  return new BoltsealError(
    'DIGEST_MISMATCH',
    `layer ${layer.index} (${layer.descriptor.digest}) should hold the tar ${layer.diffId} but holds ${found}`,
    { hint: 'The configuration and the layers do not belong together. Do not use this image; build it again.' },
  );
}

function mislabelled({ index, descriptor }: Layer, declared: string, found: string): string {
  return `layer ${index} (${descriptor.digest}) says compression ${declared} but has ${found}; read as ${found}`;
}

function tooLarge(): BoltsealError {
  return new BoltsealError('LIMIT_EXCEEDED', `a layer is larger than ${LIMITS.layerBytes} bytes when decompressed`, {
    hint: 'A layer of this size is refused. Check where the image came from.',
  });
}

const MiB = 1024 * 1024;
const QUEUE_BYTES = 8 * MiB;
const REPORT_BYTES = MiB / 4;
