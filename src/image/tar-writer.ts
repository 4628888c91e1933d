import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { BoltsealError } from '../base/errors.ts';

/** One thing to put into an archive. Owner is root and the time is the epoch, so that the same input gives the same bytes. */
export interface TarItem {
  /** From the root, without a leading slash. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink';
  /** Permission bits. */
  readonly mode: number;
  /** For a file: its bytes, or a file on disk of exactly this size. */
  readonly body?: Uint8Array | { readonly file: string; readonly sizeBytes: number };
  readonly linkTarget?: string;
}

const BLOCK = 512;
const TYPE_FLAGS: Readonly<Record<TarItem['type'], string>> = { file: '0', directory: '5', symlink: '2' };

/**
 * The bytes of a POSIX pax archive (IEEE 1003.1-2024, pax). A file that changed size since it was listed ends the archive
 * with an error: what would follow could not be read.
 *
 * @throws BoltsealError FILE_UNREADABLE
 */
export async function* writeTar(items: Iterable<TarItem>): AsyncGenerator<Uint8Array, void, undefined> {
  for (const item of items) {
    const size = item.body === undefined ? 0 : 'file' in item.body ? item.body.sizeBytes : item.body.length;
    yield* headersOf(item, size);
    if (item.body !== undefined) yield* 'file' in item.body ? readExactly(item.body) : [item.body];
    yield Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
  }
  yield Buffer.alloc(2 * BLOCK);
}

function* headersOf(item: TarItem, size: number): Generator<Uint8Array> {
  const records = {
    ...(fits(item.path) ? {} : { path: item.path }),
    ...(fits(item.linkTarget ?? '') ? {} : { linkpath: item.linkTarget ?? '' }),
  };
  const pax = Buffer.from(
    Object.entries(records)
      .map(([key, value]) => paxRecord(key, value))
      .join(''),
  );
  if (pax.length > 0) {
    yield header({ name: 'pax', flag: 'x', mode: 0o644, size: pax.length, linkTarget: '' });
    yield pax;
    yield Buffer.alloc((BLOCK - (pax.length % BLOCK)) % BLOCK);
  }
  yield header({
    name: item.path,
    flag: TYPE_FLAGS[item.type],
    mode: item.mode,
    size,
    linkTarget: item.linkTarget ?? '',
  });
}

interface Header {
  readonly name: string;
  readonly flag: string;
  readonly mode: number;
  readonly size: number;
  readonly linkTarget: string;
}

function header({ name, flag, mode, size, linkTarget }: Header): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number): void =>
    void block.write(value.toString(8).padStart(length - 1, '0'), at, 'latin1');
  block.write(name, 0, 100, 'utf8');
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.write('        ', 148, 'latin1');
  block.write(flag, 156, 'latin1');
  block.write(linkTarget, 157, 100, 'utf8');
  block.write('ustar\u000000', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148, 'latin1');
  return block;
}

/** The 100-byte fields of a header hold ASCII; everything else goes into a pax record. */
function fits(text: string): boolean {
  return text.length <= 100 && /^[\u0020-\u007e]*$/.test(text);
}

/** `length key=value\n`, where the length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + 1;
  while (String(length).length + rest !== length) length += 1;
  return `${length} ${key}=${value}\n`;
}

/** A small file is cheaper to read at once than to stream. */
const SMALL_BYTES = 1024 * 1024;

async function* readExactly({
  file,
  sizeBytes,
}: {
  readonly file: string;
  readonly sizeBytes: number;
}): AsyncGenerator<Uint8Array> {
  let left = sizeBytes;
  const pieces =
    sizeBytes <= SMALL_BYTES ? [await readFile(file)] : createReadStream(file, { highWaterMark: SMALL_BYTES });
  for await (const chunk of pieces as AsyncIterable<Uint8Array>) {
    left -= chunk.length;
    if (left < 0) break;
    yield chunk;
  }
  if (left !== 0) {
    throw new BoltsealError('FILE_UNREADABLE', `${file} changed its size while it was being read`, {
      hint: 'Run the command again when nothing writes to that file.',
    });
  }
}
