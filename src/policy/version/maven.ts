import { compareNumbers } from './semver.ts';

/** Maven POM reference, "Version Order Specification". */
const MAVEN = /^\d[0-9A-Za-z._-]*$/;

/** Qualifiers in their order; the empty one is the release. Others come after them all, in alphabetical order. */
const QUALIFIERS = ['alpha', 'beta', 'milestone', 'rc', 'snapshot', '', 'sp'];

const ALIASES: Readonly<Record<string, string>> = { cr: 'rc', ga: '', final: '', release: '' };
/** Only with a number right behind them. */
const SHORT: Readonly<Record<string, string>> = { a: 'alpha', b: 'beta', m: 'milestone' };

interface Token {
  readonly separator: '.' | '-';
  readonly value: string;
}

export function compareMaven(a: string, b: string): number | undefined {
  if (!MAVEN.test(a) || !MAVEN.test(b)) return undefined;
  const left = trim(tokenise(a.toLowerCase()));
  const right = trim(tokenise(b.toLowerCase()));
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const order = compareTokens(left[at], right[at]);
    if (order !== 0) return order;
  }
  return 0;
}

/** At dots, hyphens and underscores, and like a hyphen where digits and letters meet. Nothing between two counts as 0. */
function tokenise(text: string): readonly Token[] {
  const parts = [...text.matchAll(/([._-]?)(\d+|[a-z]+|(?=[._-]|$))/g)].filter(([all]) => all !== '');
  return parts.map(([, mark = '', word = ''], at) => ({
    separator: mark === '.' || at === 0 ? '.' : '-',
    value: qualifierOf(word || '0', parts[at + 1]),
  }));
}

function qualifierOf(word: string, next: readonly string[] | undefined): string {
  const followed = next?.[1] === '' && isNumber(next[2] ?? '');
  if (followed && Object.hasOwn(SHORT, word)) return SHORT[word] ?? word;
  return Object.hasOwn(ALIASES, word) ? (ALIASES[word] ?? word) : word;
}

/** Zeros and release marks mean nothing at the end, before a hyphen, and before a qualifier. */
function trim(tokens: readonly Token[]): readonly Token[] {
  const kept: Token[] = [];
  for (const [at, token] of [...tokens.entries()].toReversed()) {
    const next = kept[0];
    const atEnd = next === undefined || next.separator === '-' || !isNumber(next.value);
    const meansNothing = token.value === '' || /^0+$/.test(token.value);
    if (at === 0 || !atEnd || !meansNothing) kept.unshift(token);
  }
  return kept;
}

/** A missing token is a zero against a number, and the release against a qualifier. Qualifiers are before numbers. */
function compareTokens(a: Token | undefined, b: Token | undefined): number {
  const other = a ?? b;
  if (other === undefined) return 0;
  const padding = { separator: other.separator, value: isNumber(other.value) ? '0' : '' };
  const left = a ?? padding;
  const right = b ?? padding;
  const [numberA, numberB] = [isNumber(left.value), isNumber(right.value)];
  if (numberA !== numberB) return numberA ? 1 : -1;
  if (!numberA) return compareQualifiers(left.value, right.value);
  if (left.separator !== right.separator) return left.separator === '.' ? 1 : -1;
  return compareNumbers(left.value, right.value);
}

function compareQualifiers(a: string, b: string): number {
  const [rankA, rankB] = [rankOf(a), rankOf(b)];
  if (rankA !== rankB) return rankA < rankB ? -1 : 1;
  return a === b ? 0 : a < b ? -1 : 1;
}

function rankOf(qualifier: string): number {
  const at = QUALIFIERS.indexOf(qualifier);
  return at < 0 ? QUALIFIERS.length : at;
}

function isNumber(value: string): boolean {
  return /^\d+$/.test(value);
}
