import type { BodySink } from './entry.ts';
import { FormatError } from './format-error.ts';
import { readNumber } from './header.ts';
import { parseDecimal } from './pax.ts';

/** Where the stored bytes of a sparse file belong; everything between is zeros. */
export interface SparseMap {
  readonly extents: readonly { readonly offset: number; readonly length: number }[];
  /** Bytes of the whole file, holes counted. */
  readonly size: number;
}

/** @throws FormatError when extents overlap, run backwards, leave the file, or do not add up to the stored bytes */
export function sparseMap(numbers: readonly number[], size: number, storedBytes: number): SparseMap {
  const extents: { offset: number; length: number }[] = [];
  let end = 0;
  let stored = 0;
  if (numbers.length % 2 !== 0) throw damaged();
  for (let at = 0; at < numbers.length; at += 2) {
    const offset = numbers[at] ?? 0;
    const length = numbers[at + 1] ?? 0;
    if (offset < end || offset + length > size) throw damaged();
    end = offset + length;
    stored += length;
    if (length > 0) extents.push({ offset, length });
  }
  if (stored !== storedBytes) throw damaged();
  return { extents, size };
}

/** The map in an old GNU header or in one of its continuation blocks: pairs of 12-byte numbers, ended by an empty pair. */
export function readOldSparsePairs(block: Buffer, start: number, pairs: number): readonly number[] {
  const numbers: number[] = [];
  for (let at = start; at < start + pairs * 24; at += 24) {
    if (block[at] === 0 || block[at + 12] === 0) break;
    numbers.push(readNumber(block, at, 12, 'sparse offset'), readNumber(block, at + 12, 12, 'sparse length'));
  }
  return numbers;
}

/** The map of sparse 0.0 and 0.1: `offset,length,offset,length…`. */
export function parseSparseList(items: readonly string[]): readonly number[] {
  return items.map((item) => parseDecimal(item, 'a sparse map'));
}

/** The map of sparse 1.0, which leads the body in lines: a count, then that many pairs. Undefined until enough is there. */
export function parseSparseLines(text: string): readonly number[] | undefined {
  const lines = text.split('\n');
  const complete = lines.length - 1;
  if (complete < 1) return undefined;
  const wanted = 2 * parseDecimal(lines[0] ?? '', 'a sparse map');
  return complete - 1 < wanted ? undefined : parseSparseList(lines.slice(1, wanted + 1));
}

/** Fills the holes: what goes in are the stored bytes, what `sink` gets is the file. */
export function expandSparse(sink: BodySink, { extents, size }: SparseMap): BodySink {
  let extent = 0;
  let inExtent = 0;
  let position = 0;
  let open = true;
  const give = (bytes: Uint8Array): boolean => {
    position += bytes.length;
    open = sink.write(bytes);
    return open;
  };
  const fill = (until: number): void => {
    let left = open ? until - position : 0;
    while (left > 0) left = give(ZEROS.subarray(0, left)) ? until - position : 0;
  };
  return {
    write(chunk) {
      for (let at = 0; at < chunk.length;) {
        const { offset, length } = extents[extent] ?? NO_EXTENT;
        fill(offset);
        if (!open) break;
        const piece = chunk.subarray(at, at + length - inExtent);
        give(piece);
        at += piece.length;
        inExtent += piece.length;
        if (inExtent === length) [extent, inExtent] = [extent + 1, 0];
      }
      return open;
    },
    end(complete) {
      if (complete) fill(size);
      sink.end(position === size);
    },
  };
}

function damaged(): FormatError {
  return new FormatError('the map of a sparse file is malformed');
}

const NO_EXTENT = { offset: 0, length: Number.POSITIVE_INFINITY };
const ZEROS = new Uint8Array(64 * 1024);
