import { compareNumbers } from './semver.ts';

/** deb-version(7): `[epoch:]upstream[-revision]`. */
const DEB = /^(?:(\d+):)?([0-9A-Za-z.+~:-]+?)(?:-([0-9A-Za-z.+~]+))?$/;

/** Debian policy 5.6.12: digits by value, the rest by its own alphabet, in which `~` is before the end. */
export function compareDeb(a: string, b: string): number | undefined {
  const left = DEB.exec(a);
  const right = DEB.exec(b);
  if (left === null || right === null) return undefined;
  return (
    compareNumbers(left[1] ?? '0', right[1] ?? '0') ||
    comparePart(left[2] ?? '', right[2] ?? '') ||
    comparePart(left[3] ?? '0', right[3] ?? '0')
  );
}

function comparePart(a: string, b: string): number {
  let left = a;
  let right = b;
  while (left !== '' || right !== '') {
    const [wordA = '', digitsA = ''] = head(left);
    const [wordB = '', digitsB = ''] = head(right);
    const order = compareWords(wordA, wordB) || compareNumbers(digitsA || '0', digitsB || '0');
    if (order !== 0) return order;
    left = left.slice(wordA.length + digitsA.length);
    right = right.slice(wordB.length + digitsB.length);
  }
  return 0;
}

function head(text: string): readonly string[] {
  const [, word = '', digits = ''] = /^(\D*)(\d*)/.exec(text) ?? [];
  return [word, digits];
}

function compareWords(a: string, b: string): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const order = weightOf(a[at]) - weightOf(b[at]);
    if (order !== 0) return Math.sign(order);
  }
  return 0;
}

function weightOf(char: string | undefined): number {
  if (char === '~') return -1;
  if (char === undefined) return 0;
  return /[A-Za-z]/.test(char) ? char.charCodeAt(0) : char.charCodeAt(0) + 256;
}
