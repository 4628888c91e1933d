import { compareNumbers } from './semver.ts';

/** apk-package(5), "Version": digits{.digits}[letter]{_suffix[digits]}[~hash][-r#]. */
const APK = /^(\d+(?:\.\d+)*)([a-z])?((?:_[a-z]+\d*)*)(?:~[0-9a-f]+)?(?:-r(\d+))?$/;

/** Suffixes before the release itself (0) are negative. */
const SUFFIX_WEIGHTS: Readonly<Record<string, number>> = {
  alpha: -4,
  beta: -3,
  pre: -2,
  rc: -1,
  cvs: 1,
  svn: 2,
  git: 3,
  hg: 4,
  p: 5,
};

export function compareApk(a: string, b: string): number | undefined {
  const left = parse(a);
  const right = parse(b);
  if (left === undefined || right === undefined) return undefined;
  return (
    compareDigits(left.digits, right.digits) ||
    compareText(left.letter, right.letter) ||
    compareSuffixes(left.suffixes, right.suffixes) ||
    compareNumbers(left.revision, right.revision)
  );
}

interface ApkVersion {
  readonly digits: readonly string[];
  readonly letter: string;
  readonly suffixes: readonly { readonly weight: number; readonly number: string }[];
  readonly revision: string;
}

function parse(text: string): ApkVersion | undefined {
  const [all, digits = '', letter = '', suffixes = '', revision = '0'] = APK.exec(text) ?? [];
  if (all === undefined) return undefined;
  const parsed = [...suffixes.matchAll(/_([a-z]+)(\d*)/g)].map(([, word = '', number = '']) => ({
    weight: SUFFIX_WEIGHTS[word],
    number: number || '0',
  }));
  if (!parsed.every((suffix): suffix is { weight: number; number: string } => suffix.weight !== undefined))
    return undefined;
  return { digits: digits.split('.'), letter, suffixes: parsed, revision };
}

/** The first by value; of the others, those with a leading zero as fractions: 1.01 is before 1.1. */
function compareDigits(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    const [left = '', right = ''] = [a[at], b[at]];
    const fraction = at > 0 && (left.startsWith('0') || right.startsWith('0'));
    const order = fraction ? compareText(left, right) : compareNumbers(left, right);
    if (order !== 0) return order;
  }
  return Math.sign(a.length - b.length);
}

function compareSuffixes(a: ApkVersion['suffixes'], b: ApkVersion['suffixes']): number {
  const none = { weight: 0, number: '0' };
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const [left, right] = [a[at] ?? none, b[at] ?? none];
    const order = Math.sign(left.weight - right.weight) || compareNumbers(left.number, right.number);
    if (order !== 0) return order;
  }
  return 0;
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
