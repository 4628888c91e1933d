import { BoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { BodySink, TarEntry } from './entry.ts';
import { FormatError } from './format-error.ts';
import { BLOCK_BYTES, cString, isZeroBlock, readHeader, readNumber, type TarHeader } from './header.ts';
import { readMember, type Extensions, type Member } from './member.ts';
import { parsePax, type PaxRecords } from './pax.ts';
import {
  expandSparse,
  parseSparseLines,
  parseSparseList,
  readOldSparsePairs,
  sparseMap,
  type SparseMap,
} from './sparse.ts';

/** Where an entry's body is stored: `offset` in bytes from the start of the tar, `size` as stored. */
export interface StoredBody {
  readonly offset: number;
  readonly size: number;
  /** The stored bytes are not the file: holes were left out. */
  readonly isSparse: boolean;
}

/** Called for every entry, in archive order. A sink is used for regular files only. */
export type EntryVisitor = (entry: TarEntry, body: StoredBody) => BodySink | undefined;

/**
 * A tar archive read as its bytes arrive, in chunks of any size: nothing is buffered but a header and its extensions, and
 * bodies that nobody asked for are stepped over. Where archives could be read in two ways, this one is read as Go's
 * archive/tar reads it (the reader inside container runtimes), or refused: a layer must not look different here than there.
 */
export class TarReader {
  readonly #visit: EntryVisitor;
  /** Bytes read so far. */
  #offset = 0;
  #skipBytes = 0;
  #sink: BodySink | undefined;
  /** Bytes of the body still to come for the sink, and of the padding after them. */
  #bodyBytes = 0;
  #paddingBytes = 0;
  /** What is being gathered: a header block, or the body of an extension header. */
  #wantBytes = BLOCK_BYTES;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  /** What to do with it; undefined at a boundary between entries. */
  #continue: ((bytes: Buffer) => void) | undefined;
  /** Extension headers that wait for the entry they belong to. */
  #extensions: Extensions | undefined;
  #zeroBlocks = 0;
  #entries = 0;
  #expandedBytes = 0;

  constructor(visit: EntryVisitor) {
    this.#visit = visit;
  }

  /** @throws FormatError; BoltsealError LIMIT_EXCEEDED */
  write(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let at = 0; at < bytes.length && !this.isFinished;) {
      if (this.#skipBytes > 0) at += this.skip(bytes.length - at);
      else at += this.#sink === undefined ? this.#gather(bytes, at) : this.#feed(bytes, at);
    }
  }

  /** No bytes follow. The two zero blocks may be missing, but not the rest of an entry. @throws FormatError */
  end(): void {
    const isBetweenEntries = this.#continue === undefined && this.#extensions === undefined;
    const isAtBoundary = this.#skipBytes === 0 && this.#sink === undefined && this.#gatheredBytes === 0;
    if (this.isFinished || (isBetweenEntries && isAtBoundary)) return;
    throw new FormatError('the tar archive ends in the middle of an entry');
  }

  /** True once the two zero blocks were seen. What follows them is not part of the archive. */
  get isFinished(): boolean {
    return this.#zeroBlocks === 2;
  }

  /** How many of the bytes that follow do not matter: a caller that can seek tells `skip` instead of writing them. */
  get skippableBytes(): number {
    return this.#skipBytes;
  }

  /** Steps over at most `sizeBytes`, and says how many. */
  skip(sizeBytes: number): number {
    const taken = Math.min(this.#skipBytes, sizeBytes);
    this.#skipBytes -= taken;
    this.#offset += taken;
    return taken;
  }

  #feed(bytes: Buffer, at: number): number {
    const piece = bytes.subarray(at, at + this.#bodyBytes);
    this.#bodyBytes -= piece.length;
    this.#offset += piece.length;
    const wantsMore = this.#sink?.write(piece) ?? false;
    if (this.#bodyBytes === 0 || !wantsMore) this.#closeBody();
    return piece.length;
  }

  #closeBody(): void {
    this.#sink?.end(this.#bodyBytes === 0);
    this.#sink = undefined;
    this.#skipBytes = this.#bodyBytes + this.#paddingBytes;
  }

  #gather(bytes: Buffer, at: number): number {
    const missing = this.#wantBytes - this.#gatheredBytes;
    const piece = bytes.subarray(at, at + missing);
    this.#offset += piece.length;
    if (piece.length === this.#wantBytes) {
      this.#finishGathering(piece);
    } else {
      // The chunk belongs to the caller again after this call, so a part that must wait is copied.
      this.#gathered.push(Buffer.from(piece));
      this.#gatheredBytes += piece.length;
      if (piece.length === missing) this.#finishGathering(Buffer.concat(this.#gathered));
    }
    return piece.length;
  }

  #finishGathering(bytes: Buffer): void {
    const next = this.#continue;
    this.#continue = undefined;
    this.#wantBytes = BLOCK_BYTES;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    if (next === undefined) this.#readBlock(bytes);
    else next(bytes);
  }

  #expect(sizeBytes: number, next: (bytes: Buffer) => void): void {
    this.#wantBytes = sizeBytes;
    this.#continue = next;
    if (sizeBytes === 0) this.#finishGathering(Buffer.alloc(0));
  }

  #readBlock(block: Buffer): void {
    if (isZeroBlock(block)) {
      if (this.#extensions !== undefined) throw new FormatError('an extended header belongs to no entry');
      this.#zeroBlocks += 1;
      return;
    }
    if (this.#zeroBlocks > 0) throw new FormatError('an entry follows a zero block');
    const header = readHeader(block);
    const extend = EXTENSIONS[header.typeFlag];
    if (extend === undefined) this.#startEntry(header, block);
    else this.#startExtension(header.size, extend);
  }

  #startExtension(size: number, extend: Extend): void {
    if (size > LIMITS.tarExtensionBytes) throw tooMuch('an extended header', size, LIMITS.tarExtensionBytes, 'bytes');
    this.#expect(size, (body) => {
      this.#extensions = extend(body, this.#extensions);
      this.#skipBytes = paddingOf(size);
    });
  }

  #startEntry(header: TarHeader, block: Buffer): void {
    const member = readMember(header, this.#extensions ?? {});
    this.#extensions = undefined;
    this.#entries += 1;
    const nameBytes = Math.max(member.entry.path.length, member.entry.linkTarget?.length ?? 0);
    if (this.#entries > LIMITS.entriesPerLayer)
      throw tooMuch('a tar archive', this.#entries, LIMITS.entriesPerLayer, 'entries');
    if (nameBytes > LIMITS.tarNameBytes) throw tooMuch('a name', nameBytes, LIMITS.tarNameBytes, 'bytes');
    if (member.sparse === undefined) this.#startBody(member.entry, member.storedBytes);
    else this.#startSparse(member, block);
  }

  #startSparse({ entry, storedBytes, sparse }: Member, block: Buffer): void {
    const start = (numbers: readonly number[], size: number, bodyBytes: number): void =>
      this.#startBody({ ...entry, size }, bodyBytes, sparseMap(numbers, size, bodyBytes));
    if (sparse?.kind === 'pax-list') {
      start(parseSparseList(sparse.items), entry.size, storedBytes);
    } else if (sparse?.kind === 'pax-body') {
      this.#readSparseLines('', (numbers, mapBytes) => start(numbers, entry.size, storedBytes - mapBytes), storedBytes);
    } else {
      const size = readNumber(block, 483, 12, 'size');
      const first = readOldSparsePairs(block, 386, 4);
      if (block[482] === 0) start(first, size, storedBytes);
      else this.#readOldSparse(first, (numbers) => start(numbers, size, storedBytes));
    }
  }

  /** Continuation blocks of an old GNU sparse header: 21 pairs each, and a flag that says whether another follows. */
  #readOldSparse(before: readonly number[], done: (numbers: readonly number[]) => void): void {
    if (before.length > MAX_SPARSE_NUMBERS) throw tooMuch('a sparse map', before.length, MAX_SPARSE_NUMBERS, 'numbers');
    this.#expect(BLOCK_BYTES, (block) => {
      const numbers = [...before, ...readOldSparsePairs(block, 0, 21)];
      if (block[504] === 0) done(numbers);
      else this.#readOldSparse(numbers, done);
    });
  }

  #readSparseLines(
    before: string,
    done: (numbers: readonly number[], mapBytes: number) => void,
    storedBytes: number,
  ): void {
    if (before.length >= Math.min(storedBytes, MAX_SPARSE_LINES_BYTES))
      throw new FormatError('a sparse map has no end');
    this.#expect(BLOCK_BYTES, (block) => {
      const text = before + block.toString('latin1', 0, BLOCK_BYTES);
      const numbers = parseSparseLines(text);
      if (numbers === undefined) this.#readSparseLines(text, done, storedBytes);
      else done(numbers, text.length);
    });
  }

  #startBody(entry: TarEntry, storedBytes: number, map?: SparseMap): void {
    this.#expandedBytes += entry.size;
    if (this.#expandedBytes > LIMITS.layerBytes)
      throw tooMuch('the files of a tar archive', this.#expandedBytes, LIMITS.layerBytes, 'bytes');
    const sink = this.#visit(entry, { offset: this.#offset, size: storedBytes, isSparse: map !== undefined });
    this.#bodyBytes = storedBytes;
    this.#paddingBytes = paddingOf(storedBytes);
    if (entry.type === 'file' && sink !== undefined) this.#sink = map === undefined ? sink : expandSparse(sink, map);
    if (this.#sink === undefined) this.#skipBytes = storedBytes + this.#paddingBytes;
    else if (storedBytes === 0) this.#closeBody();
  }
}

type Extend = (body: Buffer, before: Extensions | undefined) => Extensions | undefined;

const EXTENSIONS: Readonly<Record<string, Extend>> = {
  x: (body, before) => ({ ...before, pax: parsePax(body) }),
  L: (body, before) => ({ ...before, longName: cString(body, 0, body.length) }),
  K: (body, before) => ({ ...before, longLink: cString(body, 0, body.length) }),
  g: (body, before) => {
    checkGlobal(parsePax(body));
    return before;
  },
};

/** GNU tar applies a global header to every entry after it, runtimes to none: where that makes a difference, it is refused. */
function checkGlobal({ values, sparseMap: pairs }: PaxRecords): void {
  const key = [...values.keys()].find((name) => NAMING.has(name) || name.startsWith('GNU.sparse.'));
  if (key !== undefined || pairs.length > 0)
    throw new FormatError(`a global extended header sets "${key ?? 'GNU.sparse.offset'}" for all entries`);
}

function paddingOf(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}

function tooMuch(what: string, found: number, limit: number, unit: string): BoltsealError {
  return new BoltsealError('LIMIT_EXCEEDED', `${what} has ${found} ${unit}, more than ${limit}`, {
    hint: 'An archive like this is refused, because no honest tool makes one. Check where it came from.',
  });
}

const NAMING: ReadonlySet<string> = new Set(['path', 'linkpath', 'size']);
const MAX_SPARSE_NUMBERS = LIMITS.tarExtensionBytes / 16;
const MAX_SPARSE_LINES_BYTES = LIMITS.tarExtensionBytes;
