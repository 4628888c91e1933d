import { BoltsealError, messageOf } from './errors.ts';
import { LIMITS } from './limits.ts';

interface JsonOptions {
  /** What the document is, for the message: "the manifest of …". */
  readonly what: string;
  readonly maxBytes: number;
  readonly maxDepth?: number;
}

/**
 * Parses JSON that somebody else wrote: UTF-8, RFC 8259, and stricter. A key twice in one object, a `__proto__` key,
 * or nesting beyond the limit is refused, since two readers could understand such a document differently.
 *
 * @throws BoltsealError LIMIT_EXCEEDED, JSON_INVALID
 */
export function parseJson(input: Uint8Array | string, options: JsonOptions): unknown {
  if (input.length > options.maxBytes) {
    throw new BoltsealError(
      'LIMIT_EXCEEDED',
      `${options.what} is ${input.length} bytes, more than ${options.maxBytes}`,
      {
        hint: 'A document of this size is refused, because nobody needs one. Check where it came from.',
      },
    );
  }
  try {
    const text = typeof input === 'string' ? input : new TextDecoder('utf-8', { fatal: true }).decode(input);
    const value: unknown = JSON.parse(text);
    checkStructure(text, options.maxDepth ?? LIMITS.jsonDepth);
    return value;
  } catch (cause) {
    throw new BoltsealError('JSON_INVALID', `${options.what} is not valid JSON: ${messageOf(cause)}`, {
      hint: 'Check that the reference names what you think it does; the document may be damaged or not JSON at all.',
      cause,
    });
  }
}

/** Walks text already known to be JSON, and throws at a repeated key, a `__proto__` key, or too deep nesting. */
function checkStructure(text: string, maxDepth: number): void {
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === OPEN_BRACE || char === OPEN_BRACKET) {
      if (open.push(char === OPEN_BRACE ? new Set() : undefined) > maxDepth)
        throw new Error(`deeper than ${maxDepth} levels`);
    } else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) {
      open.pop();
    } else if (char === QUOTE) {
      const end = endOfString(text, at);
      const keys = open.at(-1);
      if (keys !== undefined && isKey(text, end)) addKey(keys, text.slice(at, end));
      at = end - 1;
    }
  }
}

function addKey(keys: Set<string>, quoted: string): void {
  const key = quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
  if (key === '__proto__') throw new Error('the key "__proto__" is not allowed');
  if (keys.has(key)) throw new Error(`the key ${JSON.stringify(key)} is there twice in one object`);
  keys.add(key);
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at + 1;
}

/** In valid JSON a string is a key exactly when a colon follows it. */
function isKey(text: string, end: number): boolean {
  let at = end;
  while (text.charCodeAt(at) <= SPACE) at += 1;
  return text.charCodeAt(at) === COLON;
}

const SPACE = 0x20;
const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
