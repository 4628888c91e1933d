import { FormatError } from './format-error.ts';

/** One 512-byte header block, before extension headers are applied. Names are still bytes. */
export interface TarHeader {
  readonly typeFlag: string;
  readonly name: Buffer;
  readonly linkName: Buffer;
  /** Bytes that follow the header, as the header says. */
  readonly size: number;
  readonly mode: number;
  readonly isGnu: boolean;
}

export const BLOCK_BYTES = 512;

/**
 * Reads a header block: POSIX.1-1988 ustar, GNU, star and v7, told apart as Go's archive/tar does, because that is the
 * reader inside container runtimes and a layer must not look different here than it does there.
 *
 * @throws FormatError when the checksum is wrong or a number is not one
 */
export function readHeader(block: Buffer): TarHeader {
  checkSum(block);
  const isGnu = block.toString('latin1', 257, 265) === 'ustar  \0';
  return {
    typeFlag: String.fromCharCode(block[156] ?? 0),
    name: nameWithPrefix(block, isGnu),
    linkName: cString(block, 157, 100),
    size: readNumber(block, 124, 12, 'size'),
    mode: readNumber(block, 100, 8, 'mode') & 0o7777,
    isGnu,
  };
}

/** A number field: octal text, or base-256 when the first bit is set (GNU and star). @throws FormatError */
export function readNumber(block: Buffer, start: number, length: number, what: string): number {
  const value =
    ((block[start] ?? 0) & 0x80) !== 0 ? readBase256(block, start, length) : readOctal(block, start, length);
  if (!Number.isSafeInteger(value) || value < 0) throw new FormatError(`a header's ${what} is not a number`);
  return value;
}

/** The bytes of a field up to its first NUL. */
export function cString(block: Buffer, start: number, length: number): Buffer {
  let end = start;
  while (end < start + length && block[end] !== 0) end += 1;
  return block.subarray(start, end);
}

export function isZeroBlock(block: Buffer): boolean {
  return block[0] === 0 && block.every((byte) => byte === 0);
}

/** POSIX sums unsigned bytes; some old writers summed signed ones. */
function checkSum(block: Buffer): void {
  let unsigned = 8 * 0x20;
  let high = 0;
  for (let at = 0; at < BLOCK_BYTES; at += 1) {
    if (at >= 148 && at < 156) continue;
    const byte = block[at] ?? 0;
    unsigned += byte;
    high += byte >> 7;
  }
  const stored = readNumber(block, 148, 8, 'checksum');
  if (stored !== unsigned && stored !== unsigned - 256 * high)
    throw new FormatError('a header has the wrong checksum, so this is not a tar archive or it is damaged');
}

function nameWithPrefix(block: Buffer, isGnu: boolean): Buffer {
  const name = cString(block, 0, 100);
  const prefix = prefixOf(block, isGnu);
  return prefix.length === 0 ? name : Buffer.concat([prefix, SLASH, name]);
}

function prefixOf(block: Buffer, isGnu: boolean): Buffer {
  if (block.toString('latin1', 257, 263) === 'ustar\0') {
    const isStar = block.toString('latin1', 508, 512) === 'tar\0';
    return cString(block, 345, isStar ? 131 : 155);
  }
  return isGnu && hasMisplacedPrefix(block) ? cString(block, 345, 155) : NOTHING;
}

/**
 * GNU headers have times where ustar has the prefix. Writers made with Go before 1.8 put a prefix there all the same, and
 * Go's reader still honours it when the times make no sense and the prefix is ASCII.
 */
function hasMisplacedPrefix(block: Buffer): boolean {
  const isTime = (start: number): boolean =>
    ((block[start] ?? 0) & 0x80) !== 0 || /^[ \0]*[0-7]*[ \0]*$/.test(block.toString('latin1', start, start + 12));
  return !(isTime(345) && isTime(357)) && cString(block, 345, 155).every((byte) => byte < 0x80);
}

function readOctal(block: Buffer, start: number, length: number): number {
  let at = start;
  let end = start + length;
  while (at < end && isPadding(block[at])) at += 1;
  while (end > at && isPadding(block[end - 1])) end -= 1;
  let value = 0;
  for (; at < end && block[at] !== 0; at += 1) {
    const digit = (block[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) return Number.NaN;
    value = value * 8 + digit;
  }
  return value;
}

function readBase256(block: Buffer, start: number, length: number): number {
  const first = block[start] ?? 0;
  if ((first & 0x40) !== 0) return Number.NaN;
  let value = first & 0x3f;
  for (let at = start + 1; at < start + length; at += 1) value = value * 256 + (block[at] ?? 0);
  return value;
}

function isPadding(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0;
}

const SLASH = Buffer.from('/');
const NOTHING = Buffer.alloc(0);
