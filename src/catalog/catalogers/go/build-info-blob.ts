import { stringAt } from './elf-pointers.ts';

/** What the linker left behind the magic bytes: debug/buildinfo's format since Go 1.13. */
export type RawBuildInfo =
  | { readonly kind: 'found'; readonly goVersion: string; readonly modules: string }
  /** Go before 1.18: pointers into the rest of the file. */
  | { readonly kind: 'pointers'; readonly at: number };

/** `\xff Go buildinf:`, in hex so that the bytes themselves are not in whatever bundles this file. */
const MAGIC = Buffer.from('ff20476f206275696c64696e663a', 'hex');
const ALIGNMENT = 16;
const HEADER_BYTES = 32;
const POINTER_SIZE_AT = 14;
const FLAGS_AT = 15;
const BIG_ENDIAN = 1;
const INLINE = 2;

/**
 * The build information in a part of a binary that begins at a multiple of 16 bytes. The magic alone proves nothing, since
 * every program that reads build information holds it too: what follows must be whole. Undefined when there is none.
 */
export function findBuildInfo(bytes: Buffer): RawBuildInfo | undefined {
  for (let at = bytes.indexOf(MAGIC); at >= 0; at = bytes.indexOf(MAGIC, at + 1)) {
    if (at % ALIGNMENT !== 0 || at + HEADER_BYTES > bytes.length) continue;
    const flags = bytes[at + FLAGS_AT] ?? 0;
    if ((flags & INLINE) === 0) {
      const pointerSize = bytes[at + POINTER_SIZE_AT] ?? 0;
      if ((pointerSize === 4 || pointerSize === 8) && flags <= BIG_ENDIAN) return { kind: 'pointers', at };
      continue;
    }
    const version = readInline(bytes, at + HEADER_BYTES);
    const modules = version === undefined ? undefined : readInline(bytes, version.end);
    if (version === undefined || modules === undefined || !isGoVersion(version.text.toString())) continue;
    return { kind: 'found', goVersion: version.text.toString(), modules: withoutSentinels(modules.text) };
  }
  return undefined;
}

/** Follows the two pointers behind the magic at `at`, through the ELF program headers of the whole file. */
export function followPointers(file: Buffer, at: number): RawBuildInfo | undefined {
  const pointerSize = file[at + POINTER_SIZE_AT] === 4 ? 4 : 8;
  const bigEndian = ((file[at + FLAGS_AT] ?? 0) & BIG_ENDIAN) !== 0;
  const layout = { pointerSize, bigEndian } as const;
  const goVersion = stringAt(file, at + 16, layout)?.toString();
  const modules = stringAt(file, at + 16 + pointerSize, layout);
  if (goVersion === undefined || !isGoVersion(goVersion)) return undefined;
  return { kind: 'found', goVersion, modules: modules === undefined ? '' : withoutSentinels(modules) };
}

function isGoVersion(text: string): boolean {
  return /^(?:go\d|devel\b)/.test(text) && text.length < 200;
}

function readInline(bytes: Buffer, at: number): { readonly text: Buffer; readonly end: number } | undefined {
  let length = 0;
  for (let index = 0; index < 5; index += 1) {
    const byte = bytes[at + index];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) {
      const start = at + index + 1;
      return start + length > bytes.length
        ? undefined
        : { text: bytes.subarray(start, start + length), end: start + length };
    }
  }
  return undefined;
}

const SENTINEL_BYTES = 16;

/** The module text stands between two 16-byte marks, the second after a line break. */
function withoutSentinels(text: Buffer): string {
  const isMarked = text.length >= 2 * SENTINEL_BYTES + 1 && text[text.length - SENTINEL_BYTES - 1] === 0x0a;
  return isMarked ? text.subarray(SENTINEL_BYTES, text.length - SENTINEL_BYTES).toString() : '';
}
