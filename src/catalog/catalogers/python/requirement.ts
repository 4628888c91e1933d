import { normalisePythonName } from './metadata.ts';

/** A dependency as PEP 508 writes it, without the version it asks for. */
export interface Requirement {
  /** Normalised. */
  readonly name: string;
  /** The environment marker, '' when there is none. */
  readonly marker: string;
}

/** Undefined for what is no requirement. */
export function parseRequirement(text: string): Requirement | undefined {
  const [, name] = /^\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)/.exec(text) ?? [];
  if (name === undefined) return undefined;
  const semicolon = text.indexOf(';');
  return { name: normalisePythonName(name), marker: semicolon < 0 ? '' : text.slice(semicolon + 1).trim() };
}

/** What is known of the interpreter a distribution was installed for. */
export interface Environment {
  /** `3.11`, when the path tells. */
  readonly pythonVersion?: string;
}

/** PEP 508's answer, or undefined where it hangs on what an image does not tell. */
type Truth = boolean | undefined;

/**
 * Whether a marker may hold in the image: false only when it surely does not. A marker that asks for an extra does not hold,
 * since metadata does not say which extras were asked for.
 */
export function mayHold(marker: string, environment: Environment): boolean {
  if (marker === '') return true;
  const tokens = marker.match(/"[^"]*"|'[^']*'|\(|\)|[^\s()"'<>=!~]+|[<>=!~]+/g) ?? [];
  return tokens.length > MAX_TOKENS || orTerm({ tokens, at: 0 }, environment) !== false;
}

/** The parser calls itself for every term, and the package's maker wrote the marker. */
const MAX_TOKENS = 1000;

interface Cursor {
  readonly tokens: readonly string[];
  at: number;
}

function orTerm(cursor: Cursor, environment: Environment): Truth {
  const left = andTerm(cursor, environment);
  if (cursor.tokens[cursor.at] !== 'or') return left;
  cursor.at += 1;
  const right = orTerm(cursor, environment);
  return left === true || right === true ? true : left === false && right === false ? false : undefined;
}

function andTerm(cursor: Cursor, environment: Environment): Truth {
  const left = comparison(cursor, environment);
  if (cursor.tokens[cursor.at] !== 'and') return left;
  cursor.at += 1;
  const right = andTerm(cursor, environment);
  return left === false || right === false ? false : left === true && right === true ? true : undefined;
}

function comparison(cursor: Cursor, environment: Environment): Truth {
  if (cursor.tokens[cursor.at] === '(') {
    cursor.at += 1;
    const inner = orTerm(cursor, environment);
    cursor.at += 1;
    return inner;
  }
  const left = cursor.tokens[cursor.at] ?? '';
  const negated = cursor.tokens[cursor.at + 1] === 'not';
  const operator = negated ? 'not in' : (cursor.tokens[cursor.at + 1] ?? '');
  const right = cursor.tokens[cursor.at + (negated ? 3 : 2)] ?? '';
  cursor.at += negated ? 4 : 3;
  return compare(left, operator, { right, environment });
}

/** All images with layers of files we read are Linux. */
const KNOWN: Readonly<Record<string, string>> = {
  os_name: 'posix',
  sys_platform: 'linux',
  platform_system: 'Linux',
};

function compare(
  left: string,
  operator: string,
  { right, environment }: { readonly right: string; readonly environment: Environment },
): Truth {
  if (left === 'extra' || right === 'extra') return operator === '!=';
  const [name, text] = isQuoted(left) ? [right, unquoted(left)] : [left, unquoted(right)];
  if (name === 'python_version' && environment.pythonVersion !== undefined && !isQuoted(left)) {
    return compareVersions(environment.pythonVersion, operator, text);
  }
  const known = Object.hasOwn(KNOWN, name) ? KNOWN[name] : undefined;
  if (known === undefined || isQuoted(left)) return undefined;
  return operator === '==' ? known === text : operator === '!=' ? known !== text : undefined;
}

function compareVersions(version: string, operator: string, wanted: string): Truth {
  if (!/^\d+(?:\.\d+)*$/.test(wanted)) return undefined;
  const [left, right] = [version.split('.').map(Number), wanted.split('.').map(Number)];
  const at = [...Array(Math.max(left.length, right.length)).keys()].find((i) => (left[i] ?? 0) !== (right[i] ?? 0));
  const order = at === undefined ? 0 : (left[at] ?? 0) - (right[at] ?? 0);
  return COMPARISONS[operator]?.(order);
}

const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '==': (order) => order === 0,
  '!=': (order) => order !== 0,
  '>=': (order) => order >= 0,
  '>': (order) => order > 0,
};

function isQuoted(token: string): boolean {
  return token.startsWith('"') || token.startsWith("'");
}

function unquoted(token: string): string {
  return isQuoted(token) ? token.slice(1, -1) : token;
}
