interface PointerLayout {
  readonly pointerSize: 4 | 8;
  readonly bigEndian: boolean;
}

/** A stretch of the file and the address it is loaded at. */
interface Segment {
  readonly address: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Loadable segments of an honest binary are a handful. */
const MAX_SEGMENTS = 1000;
const PT_LOAD = 1;
const MAX_STRING_BYTES = 64 * 1024 * 1024;

/**
 * The Go string a pointer leads to: at `at` stands the address of a string header, which holds address and length of the
 * text (System V ABI, "Program Header"). Undefined where any of these leads out of the file.
 */
export function stringAt(file: Buffer, at: number, layout: PointerLayout): Buffer | undefined {
  const segments = loadSegments(file, layout);
  const header = offsetOf(readPointer(file, at, layout), segments);
  const text = header === undefined ? undefined : offsetOf(readPointer(file, header, layout), segments);
  const length = header === undefined ? undefined : readPointer(file, header + layout.pointerSize, layout);
  if (text === undefined || length === undefined || length > MAX_STRING_BYTES || text + length > file.length)
    return undefined;
  return file.subarray(text, text + length);
}

function loadSegments(file: Buffer, layout: PointerLayout): readonly Segment[] {
  const wide = file[4] === 2;
  const half = (at: number): number => readUnsigned(file, at, { bytes: 2, bigEndian: layout.bigEndian }) ?? 0;
  const word = (at: number): number => readUnsigned(file, at, { bytes: 4, bigEndian: layout.bigEndian }) ?? 0;
  const long = (at: number): number =>
    readUnsigned(file, at, { bytes: wide ? 8 : 4, bigEndian: layout.bigEndian }) ?? 0;
  const [table, entryBytes, count] = wide ? [long(32), half(54), half(56)] : [long(28), half(42), half(44)];
  return Array.from({ length: Math.min(count, MAX_SEGMENTS) }, (_, index) => table + index * entryBytes)
    .filter((entry) => word(entry) === PT_LOAD)
    .map((entry) =>
      wide
        ? { offset: long(entry + 8), address: long(entry + 16), sizeBytes: long(entry + 32) }
        : { offset: long(entry + 4), address: long(entry + 8), sizeBytes: long(entry + 16) },
    );
}

function offsetOf(address: number | undefined, segments: readonly Segment[]): number | undefined {
  if (address === undefined || address === 0) return undefined;
  const segment = segments.find((each) => address >= each.address && address < each.address + each.sizeBytes);
  return segment === undefined ? undefined : segment.offset + (address - segment.address);
}

function readPointer(file: Buffer, at: number, { pointerSize, bigEndian }: PointerLayout): number | undefined {
  return readUnsigned(file, at, { bytes: pointerSize, bigEndian });
}

/** Undefined past the end of the file, and for what no file offset can be. */
function readUnsigned(
  file: Buffer,
  at: number,
  { bytes, bigEndian }: { readonly bytes: 2 | 4 | 8; readonly bigEndian: boolean },
): number | undefined {
  if (at < 0 || at + bytes > file.length) return undefined;
  if (bytes < 8) return bigEndian ? file.readUIntBE(at, bytes) : file.readUIntLE(at, bytes);
  const value = bigEndian ? file.readBigUInt64BE(at) : file.readBigUInt64LE(at);
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : Number(value);
}
