import { isUtf8 } from 'node:buffer';

/**
 * Text of a name whose bytes nobody checked. Valid UTF-8 reads as itself; every byte that is not part of any reads as
 * U+DC00 + byte, so that two different names never become one (Python's surrogateescape, PEP 383).
 */
export function decodeName(bytes: Buffer): string {
  const text = bytes.toString('utf8', 0, bytes.length);
  return text.includes(REPLACEMENT) && !isUtf8(bytes) ? decodeBytewise(bytes) : text;
}

/** A name from the root: no leading slash, no empty, `.` or `..` parts. `..` at the root stays at the root. */
export function normaliseName(name: string): string {
  if (!NEEDS_WORK.test(name)) return name;
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

const REPLACEMENT = '\uFFFD';
const NEEDS_WORK = /^\/|\/\/|\/$|(?:^|\/)\.\.?(?:\/|$)/;

function decodeBytewise(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes[at] ?? 0);
    const sequence = bytes.subarray(at, at + length);
    if (sequence.length === length && isUtf8(sequence)) {
      text += sequence.toString('utf8', 0, length);
      at += length;
    } else {
      text += String.fromCharCode(0xdc00 + (bytes[at] ?? 0));
      at += 1;
    }
  }
  return text;
}

function sequenceLength(lead: number): number {
  return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}
