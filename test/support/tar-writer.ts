import { Buffer } from 'node:buffer';

/** One entry of a tar for tests. `type` is 'file' unless there is something that says otherwise. */
export interface TarItem {
  readonly path: string | Buffer;
  readonly type?: 'file' | 'directory' | 'symlink' | 'hardlink' | 'fifo';
  readonly body?: string | Uint8Array;
  readonly mode?: number;
  readonly linkTarget?: string;
  /** Where a long name goes, and everything else that does not fit: an extension of this kind is always written when set. */
  readonly extension?: 'pax' | 'gnu';
  /** Records of an extended header before the entry, beside those that `extension` makes. */
  readonly pax?: Readonly<Record<string, string>>;
  /** Overrides what the header says: a one-character type, the size. */
  readonly typeFlag?: string;
  readonly headerSize?: number;
}

export interface TarOptions {
  /** The zero blocks at the end; two unless told. */
  readonly zeroBlocks?: number;
}

export function writeTar(items: readonly TarItem[], { zeroBlocks = 2 }: TarOptions = {}): Buffer {
  return Buffer.concat([...items.flatMap(tarItem), Buffer.alloc(512 * zeroBlocks)]);
}

/** The blocks of one entry, extension headers first. */
export function tarItem(item: TarItem): readonly Buffer[] {
  const path = typeof item.path === 'string' ? Buffer.from(item.path) : item.path;
  const body = Buffer.from(item.body ?? '');
  const link = item.linkTarget ?? '';
  const records = {
    ...(item.extension === 'pax' ? { path: path.toString(), ...(link === '' ? {} : { linkpath: link }) } : {}),
    ...item.pax,
  };
  return [
    ...(Object.keys(records).length === 0 ? [] : paxHeader(records)),
    ...(item.extension === 'gnu' ? gnuName('L', path) : []),
    ...(item.extension === 'gnu' && link !== '' ? gnuName('K', Buffer.from(link)) : []),
    tarHeader({
      name: path,
      typeFlag: item.typeFlag ?? TYPE_FLAGS[item.type ?? 'file'],
      size: item.headerSize ?? body.length,
      mode: item.mode ?? (item.type === 'directory' ? 0o755 : 0o644),
      linkName: link,
      isGnu: item.extension === 'gnu',
    }),
    padded(body),
  ];
}

interface HeaderFields {
  readonly name: Buffer;
  readonly typeFlag: string;
  readonly size: number;
  readonly mode?: number;
  readonly linkName?: string;
  readonly isGnu?: boolean;
}

/** One header block. What does not fit its field is cut off. */
export function tarHeader({ name, typeFlag, size, mode = 0o644, linkName = '', isGnu = false }: HeaderFields): Buffer {
  const block = Buffer.alloc(512);
  name.copy(block, 0, 0, 100);
  block.write(octal(mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(0, 11), 136);
  block.write(typeFlag, 156, 'latin1');
  Buffer.from(linkName).copy(block, 157, 0, 100);
  block.write(isGnu ? 'ustar  \0' : 'ustar\x0000', 257, 'latin1');
  return withChecksum(block);
}

/** Fits the checksum to a header that was changed. */
export function withChecksum(block: Buffer): Buffer {
  block.fill(' ', 148, 156);
  const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return block;
}

export function paxHeader(records: Readonly<Record<string, string>>, typeFlag: 'x' | 'g' = 'x'): readonly Buffer[] {
  const body = Buffer.concat(Object.entries(records).map(([key, value]) => paxRecord(key, value)));
  return [tarHeader({ name: Buffer.from('PaxHeaders/0'), typeFlag, size: body.length }), padded(body)];
}

export function padded(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}

function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return Buffer.from(`${length} ${key}=${value}\n`);
}

function gnuName(typeFlag: 'L' | 'K', name: Buffer): readonly Buffer[] {
  const body = Buffer.concat([name, Buffer.alloc(1)]);
  return [tarHeader({ name: Buffer.from('././@LongLink'), typeFlag, size: body.length, isGnu: true }), padded(body)];
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

const TYPE_FLAGS = { file: '0', directory: '5', symlink: '2', hardlink: '1', fifo: '6' } as const;
