import { isBoltsealError, messageOf } from '../base/errors.ts';
import { ShapeError } from '../base/shape.ts';
import type { TarEntry } from '../image/file-tree.ts';
import type { Extraction, FileSink } from './cataloger.ts';

interface WholeFileOptions<Kept> {
  readonly maxBytes: number;
  /** May throw BoltsealError or ShapeError for what is wrong with the file; undefined says that it is of no concern. */
  readonly parse: (bytes: Uint8Array) => Kept | undefined;
}

/** A sink that hands over the whole file, or says that it is too large to. */
export function wholeFile<Kept>(entry: TarEntry, { maxBytes, parse }: WholeFileOptions<Kept>): FileSink<Kept> {
  const tooLarge = entry.size > maxBytes;
  const chunks: Buffer[] = [];
  let seenBytes = 0;
  return {
    write: (chunk) => {
      if (tooLarge) return false;
      chunks.push(Buffer.from(chunk));
      seenBytes += chunk.length;
      return seenBytes <= maxBytes;
    },
    end: (complete) => {
      if (tooLarge || seenBytes > maxBytes) {
        return { ok: false, reason: `the file is ${Math.max(entry.size, seenBytes)} bytes, more than ${maxBytes}` };
      }
      if (!complete) return { ok: false, reason: 'the file was not read to its end' };
      return parsed(() => parse(Buffer.concat(chunks)));
    },
  };
}

/** Runs a parser over a file of the image: what it says is wrong with the file becomes the reason, a bug stays a bug. */
export function parsed<Kept>(parse: () => Kept | undefined): Extraction<Kept> | undefined {
  try {
    const record = parse();
    return record === undefined ? undefined : { ok: true, record };
  } catch (error) {
    if (error instanceof ShapeError || isBoltsealError(error)) return { ok: false, reason: messageOf(error) };
    throw error;
  }
}

/** Text of a file of the image. Bytes that are not UTF-8 become U+FFFD: old packages hold Latin-1 names. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8').decode(bytes);
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The directory of a path, '' for the root. */
export function dirName(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
