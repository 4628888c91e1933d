import { FormatError } from './format-error.ts';

/** Records of a pax extended header (POSIX.1-2001), values as bytes; `sparseMap` collects the repeated keys of GNU sparse 0.0. */
export interface PaxRecords {
  readonly values: ReadonlyMap<string, Buffer>;
  readonly sparseMap: readonly string[];
}

/**
 * Parses `LENGTH KEY=VALUE\n` records. A key that comes twice has its last value.
 *
 * @throws FormatError
 */
export function parsePax(body: Buffer): PaxRecords {
  const values = new Map<string, Buffer>();
  const sparseMap: string[] = [];
  for (let at = 0; at < body.length;) {
    const { key, value, end } = readRecord(body, at);
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes')
      sparseMap.push(sparseNumber(key, value, sparseMap));
    else values.set(key, value);
    at = end;
  }
  return { values, sparseMap };
}

/** Text of a record that is there and not empty: an empty value takes nothing away from the header. */
export function paxText(records: PaxRecords, key: string): string | undefined {
  const value = records.values.get(key);
  return value === undefined || value.length === 0 ? undefined : value.toString('latin1');
}

/** A decimal number, not negative. @throws FormatError */
export function parseDecimal(text: string, what: string): number {
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new FormatError(`${what} in an extended header is not a number`);
  return value;
}

function readRecord(body: Buffer, start: number): { key: string; value: Buffer; end: number } {
  const space = body.indexOf(0x20, start);
  if (space < 0 || space - start > 16) throw damaged();
  const end = start + parseDecimal(body.toString('latin1', start, space), 'a length');
  const equals = body.indexOf(0x3d, space);
  if (end > body.length || equals <= space + 1 || equals >= end || body[end - 1] !== 0x0a) throw damaged();
  const value = body.subarray(equals + 1, end - 1);
  const key = body.toString('utf8', space + 1, equals);
  if (key.includes('\0') || (NAMES.has(key) && value.includes(0))) throw damaged();
  return { key, value, end };
}

/** In sparse 0.0 the keys take turns: offset, numbytes, offset, … */
function sparseNumber(key: string, value: Buffer, before: readonly string[]): string {
  const wanted = before.length % 2 === 0 ? 'GNU.sparse.offset' : 'GNU.sparse.numbytes';
  if (key !== wanted || value.includes(0x2c)) throw damaged();
  return value.toString('latin1');
}

function damaged(): FormatError {
  return new FormatError('an extended header is malformed');
}

const NAMES: ReadonlySet<string> = new Set(['path', 'linkpath', 'uname', 'gname']);
