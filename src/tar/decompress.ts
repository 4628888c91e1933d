import { once } from 'node:events';
import type { Duplex, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { FormatError } from './format-error.ts';
import { ZstdFrames } from './zstd-frames.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

/** Bytes that `detectCompression` wants to see. */
export const MAGIC_BYTES = 6;

/**
 * What the first bytes of a stream say it is compressed with. Everything that is not known to be compressed is 'none'.
 *
 * @throws FormatError for a compression that container runtimes do not read either
 */
export function detectCompression(head: Uint8Array): Compression {
  const hex = Buffer.from(head.subarray(0, MAGIC_BYTES)).toString('hex');
  const [, found] = MAGIC.find(([magic]) => magic.test(hex)) ?? [];
  if (found === undefined) return 'none';
  if (found === 'gzip' || found === 'zstd') return found;
  throw new FormatError(`it is compressed with ${found}, and only gzip and zstd are read`);
}

/** The streams that undo a compression, in order. Put them in a pipeline; none for 'none'. */
export function decompressors(compression: Compression): readonly Duplex[] {
  if (compression === 'gzip') return [createGunzip({ chunkSize: CHUNK_BYTES })];
  if (compression === 'zstd') return [new ZstdFrames(), createZstdDecompress({ chunkSize: CHUNK_BYTES })];
  return [];
}

/** The first bytes of a stream, which stay in it: fewer than asked for only when it is shorter. @throws what the stream fails with */
export async function peek(stream: Readable, sizeBytes: number, signal: AbortSignal): Promise<Uint8Array> {
  for (;;) {
    const head = stream.read(sizeBytes) as Buffer | null;
    if (head !== null) {
      stream.unshift(head);
      return head;
    }
    if (stream.errored !== null) throw stream.errored;
    if (stream.readableEnded || stream.destroyed) return new Uint8Array();
    await Promise.race([once(stream, 'readable', { signal }), once(stream, 'end', { signal })]);
  }
}

/** Of the sizes tried, 1 MiB is the fastest for both; the default of 16 KiB takes more than twice as long. */
const CHUNK_BYTES = 1024 * 1024;

const MAGIC: readonly (readonly [RegExp, string])[] = [
  [/^1f8b/, 'gzip'],
  [/^28b52ffd|^5.2a4d18/, 'zstd'],
  [/^425a68/, 'bzip2'],
  [/^fd377a585a00/, 'xz'],
  [/^04224d18/, 'lz4'],
];
