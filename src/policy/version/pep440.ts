import { compareNumbers } from './semver.ts';

/** PEP 440, appendix B, with the spellings it normalises. */
const PEP440 =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[._-]?(alpha|beta|preview|pre|a|b|c|rc)[._-]?(\d*))?(?:-(\d+)|[._-]?(?:post|rev|r)[._-]?(\d*))?(?:[._-]?dev[._-]?(\d*))?(?:\+([a-z0-9]+(?:[._-][a-z0-9]+)*))?$/;

const PRE_WEIGHTS: Readonly<Record<string, number>> = {
  a: 1,
  alpha: 1,
  b: 2,
  beta: 2,
  c: 3,
  rc: 3,
  pre: 3,
  preview: 3,
};
const FINAL = 4;

interface Pep440 {
  readonly epoch: string;
  readonly release: readonly string[];
  readonly pre: { readonly weight: number; readonly number: string };
  /** -1 is none, before post 0. */
  readonly post: string | undefined;
  readonly dev: string | undefined;
  readonly local: readonly string[];
}

export function comparePep440(a: string, b: string): number | undefined {
  const left = parse(a.toLowerCase());
  const right = parse(b.toLowerCase());
  if (left === undefined || right === undefined) return undefined;
  return (
    compareNumbers(left.epoch, right.epoch) ||
    compareReleases(left.release, right.release) ||
    Math.sign(left.pre.weight - right.pre.weight) ||
    compareNumbers(left.pre.number, right.pre.number) ||
    compareOptional(left.post, right.post, { absent: -1 }) ||
    compareOptional(left.dev, right.dev, { absent: 1 }) ||
    compareLocals(left.local, right.local)
  );
}

function parse(text: string): Pep440 | undefined {
  const found = PEP440.exec(text);
  if (found === null) return undefined;
  const [, epoch = '0', release = '', word, number, dashed, posted, dev, local] = found;
  const post = dashed ?? posted;
  const onlyDev = word === undefined && post === undefined && dev !== undefined;
  const weight = word === undefined ? (onlyDev ? 0 : FINAL) : (PRE_WEIGHTS[word] ?? FINAL);
  return {
    epoch,
    release: release.split('.'),
    pre: { weight, number: number === undefined || number === '' ? '0' : number },
    post: post === '' ? '0' : post,
    dev: dev === '' ? '0' : dev,
    local: local === undefined ? [] : local.split(/[._-]/),
  };
}

/** 1.0 and 1.0.0 are the same. */
function compareReleases(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const order = compareNumbers(a[at] ?? '0', b[at] ?? '0');
    if (order !== 0) return order;
  }
  return 0;
}

function compareOptional(
  a: string | undefined,
  b: string | undefined,
  { absent }: { readonly absent: -1 | 1 },
): number {
  if (a !== undefined && b !== undefined) return compareNumbers(a, b);
  return a === b ? 0 : a === undefined ? absent : -absent;
}

function compareLocals(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const [left, right] = [a[at], b[at]];
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1;
    const [numericA, numericB] = [/^\d+$/.test(left), /^\d+$/.test(right)];
    if (numericA !== numericB) return numericA ? 1 : -1;
    const order = numericA ? compareNumbers(left, right) : left === right ? 0 : left < right ? -1 : 1;
    if (order !== 0) return order;
  }
  return 0;
}
