import type { TarEntry } from './entry.ts';
import { FormatError } from './format-error.ts';
import type { TarHeader } from './header.ts';
import { decodeName, normaliseName } from './name.ts';
import { parseDecimal, paxText, type PaxRecords } from './pax.ts';

/** What extension headers before a header said about it. */
export interface Extensions {
  readonly pax?: PaxRecords;
  /** GNU types L and K. */
  readonly longName?: Buffer;
  readonly longLink?: Buffer;
}

/** A header with its extensions applied. */
export interface Member {
  readonly entry: TarEntry;
  /** Bytes that follow the header in the archive, padding not counted. */
  readonly storedBytes: number;
  /** How the map of a sparse file is stored, when it is one. */
  readonly sparse?: SparseKind;
}

export type SparseKind =
  | { readonly kind: 'old-gnu' }
  | { readonly kind: 'pax-list'; readonly items: readonly string[] }
  | { readonly kind: 'pax-body' };

/**
 * Applies extension headers in the order Go's archive/tar does: pax over ustar, GNU long names over pax, GNU sparse names
 * over all.
 *
 * @throws FormatError
 */
export function readMember(header: TarHeader, { pax = NO_RECORDS, longName, longLink }: Extensions): Member {
  const sparse = header.typeFlag === 'S' ? oldSparse(header) : paxSparse(pax);
  const sparseName = sparse === undefined ? undefined : notEmpty(pax.values.get('GNU.sparse.name'));
  const name = decodeName(sparseName ?? longName ?? notEmpty(pax.values.get('path')) ?? header.name);
  const link = decodeName(longLink ?? notEmpty(pax.values.get('linkpath')) ?? header.linkName);
  const type = typeOf(header.typeFlag, name);
  if (sparse !== undefined && type !== 'file') throw new FormatError('a sparse file is not a regular file');
  const paxSize = paxText(pax, 'size');
  const size = paxSize === undefined ? header.size : parseDecimal(paxSize, 'a size');
  const realSize =
    sparse === undefined ? undefined : (paxText(pax, 'GNU.sparse.size') ?? paxText(pax, 'GNU.sparse.realsize'));
  return {
    entry: {
      path: normaliseName(name),
      type,
      size: type !== 'file' ? 0 : realSize === undefined ? size : parseDecimal(realSize, 'a size'),
      mode: header.mode,
      ...(type === 'symlink' ? { linkTarget: link } : type === 'hardlink' ? { linkTarget: normaliseName(link) } : {}),
    },
    storedBytes: HEADER_ONLY.has(header.typeFlag) ? 0 : size,
    ...(sparse === undefined ? {} : { sparse }),
  };
}

const NO_RECORDS: PaxRecords = { values: new Map(), sparseMap: [] };

const TYPES: Readonly<Record<string, TarEntry['type']>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '5': 'directory',
  '7': 'file',
  D: 'directory',
  S: 'file',
};

/** Types whose size is no body, whatever it says: links, devices, directories and pipes. */
const HEADER_ONLY: ReadonlySet<string> = new Set(['1', '2', '3', '4', '5', '6']);

/** Before ustar a directory was a file whose name ends in a slash. */
function typeOf(typeFlag: string, name: string): TarEntry['type'] {
  return typeFlag === '\0' && name.endsWith('/') ? 'directory' : (TYPES[typeFlag] ?? 'other');
}

function oldSparse(header: TarHeader): SparseKind {
  if (!header.isGnu) throw new FormatError('a GNU sparse file has a header that is not GNU');
  return { kind: 'old-gnu' };
}

function paxSparse(pax: PaxRecords): SparseKind | undefined {
  const version = `${paxText(pax, 'GNU.sparse.major') ?? ''}.${paxText(pax, 'GNU.sparse.minor') ?? ''}`;
  if (version === '1.0') return { kind: 'pax-body' };
  const list = paxText(pax, 'GNU.sparse.map')?.split(',') ?? pax.sparseMap;
  if (version === '0.0' || version === '0.1') return { kind: 'pax-list', items: list };
  return version === '.' && list.length > 0 ? { kind: 'pax-list', items: list } : undefined;
}

function notEmpty(value: Buffer | undefined): Buffer | undefined {
  return value === undefined || value.length === 0 ? undefined : value;
}
