import { Buffer } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import type { Context } from '../base/context.ts';
import { BoltsealError, isBoltsealError, messageOf } from '../base/errors.ts';
import { decompressors, detectCompression, MAGIC_BYTES, type Compression } from '../tar/decompress.ts';
import { TarReader, type EntryVisitor } from '../tar/reader.ts';
import { readError } from './file-error.ts';

/**
 * The tar of an image archive. `seekable` is a file in which any place can be read at once; `forward` is read from its front
 * each time it is opened, always with the same bytes: a compressed file, or what an engine sends.
 */
export type ArchiveInput =
  | { readonly kind: 'seekable'; readonly name: string; readonly path: string }
  | { readonly kind: 'forward'; readonly name: string; readonly open: () => Promise<Readable> };

/** An archive file, by its first bytes and not by its name. @throws BoltsealError LAYOUT_INVALID, FILE_* */
export async function archiveFile(path: string): Promise<ArchiveInput> {
  const compression = await compressionOf(path);
  return compression === 'none'
    ? { kind: 'seekable', name: path, path }
    : { kind: 'forward', name: path, open: () => Promise.resolve(decompressedFile(path, compression)) };
}

async function compressionOf(path: string): Promise<Compression> {
  try {
    await using file = await open(path, 'r');
    const found = await file.stat();
    if (!found.isFile()) throw notAnArchive(path, 'it is not a regular file');
    const head = Buffer.alloc(MAGIC_BYTES);
    const { bytesRead } = await file.read(head, 0, MAGIC_BYTES, 0);
    return detectCompression(head.subarray(0, bytesRead));
  } catch (cause) {
    throw archiveError(cause, path);
  }
}

interface ScanOptions {
  /** Asked after every piece: true ends the scan early. */
  readonly isDone?: () => boolean;
}

/**
 * Visits the entries of an archive in one pass. Bodies that nobody asked for are never read from a seekable file: the scan
 * seeks over them.
 *
 * @throws BoltsealError LAYOUT_INVALID, LIMIT_EXCEEDED, FILE_NOT_FOUND, FILE_UNREADABLE, and what the input fails with
 */
export async function scanArchive(
  input: ArchiveInput,
  visit: EntryVisitor,
  { isDone = () => false }: ScanOptions,
  context: Context,
): Promise<void> {
  const reader = new TarReader(visit);
  try {
    if (input.kind === 'seekable') await scanSeekable(input.path, reader, isDone, context);
    else await scanForward(await input.open(), reader, isDone, context);
    if (!isDone()) reader.end();
  } catch (cause) {
    throw archiveError(cause, input.name);
  }
}

/** The tar inside a compressed file, as it is decompressed. Destroying it closes the file. */
function decompressedFile(path: string, compression: Compression): Readable {
  const raw = createReadStream(path, { highWaterMark: READ_BYTES });
  const stages = decompressors(compression);
  const last = stages.at(-1);
  if (last === undefined) return raw;
  pipeline([raw, ...stages], () => {});
  return last;
}

/** What went wrong with an archive, told as an error about it. */
export function archiveError(cause: unknown, path: string): unknown {
  if (isBoltsealError(cause)) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const isFormat = cause instanceof Error && cause.name === 'FormatError';
  return isFormat || /^(?:Z_|ZSTD_|ERR_ZSTD|ERR_ZLIB)/.test(code)
    ? notAnArchive(path, messageOf(cause), cause)
    : readError(cause, path);
}

export function notAnArchive(path: string, why: string, cause?: unknown): BoltsealError {
  return new BoltsealError('LAYOUT_INVALID', `${path} is not a usable image archive: ${why}`, {
    hint: 'Make the archive again with docker save -o FILE IMAGE, or skopeo copy … oci-archive:FILE.',
    cause,
  });
}

async function scanSeekable(path: string, reader: TarReader, isDone: () => boolean, context: Context): Promise<void> {
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  const buffer = Buffer.allocUnsafe(HEADER_READ_BYTES);
  for (let position = 0; position < size && !reader.isFinished && !isDone();) {
    context.signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) break;
    reader.write(buffer.subarray(0, bytesRead));
    position += bytesRead;
    position += reader.skip(Math.min(reader.skippableBytes, size - position));
  }
}

async function scanForward(tar: Readable, reader: TarReader, isDone: () => boolean, context: Context): Promise<void> {
  for await (const chunk of tar) {
    context.signal.throwIfAborted();
    reader.write(chunk as Uint8Array);
    if (isDone()) break;
  }
}

const READ_BYTES = 256 * 1024;
/** Enough for a header and a small file behind it; large bodies are stepped over. */
const HEADER_READ_BYTES = 16 * 1024;
