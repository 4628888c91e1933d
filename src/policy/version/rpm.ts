import { compareNumbers } from './semver.ts';

/** `[epoch:]version[-release]`. */
const RPM = /^(?:(\d+):)?([0-9A-Za-z._+~^]+)(?:-([0-9A-Za-z._+~^]+))?$/;

/** rpm-version(7). A release that one side does not name is not compared, as rpm's own dependencies do it. */
export function compareRpm(a: string, b: string): number | undefined {
  const left = RPM.exec(a);
  const right = RPM.exec(b);
  if (left === null || right === null) return undefined;
  const order = compareNumbers(left[1] ?? '0', right[1] ?? '0') || comparePart(left[2] ?? '', right[2] ?? '');
  return order !== 0 || left[3] === undefined || right[3] === undefined ? order : comparePart(left[3], right[3]);
}

function comparePart(a: string, b: string): number {
  const left = a.match(/\d+|[A-Za-z]+|[~^]/g) ?? [];
  const right = b.match(/\d+|[A-Za-z]+|[~^]/g) ?? [];
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const order = compareSegments(left[at], right[at]);
    if (order !== 0) return order;
  }
  return 0;
}

/** `~` is before the end, `^` after the end and before everything else, digits are after letters. */
function compareSegments(a: string | undefined, b: string | undefined): number {
  const [rankA, rankB] = [rankOf(a), rankOf(b)];
  if (rankA !== rankB) return rankA < rankB ? -1 : 1;
  if (a === undefined || b === undefined || a === b) return 0;
  if (/^\d/.test(a)) return compareNumbers(a, b);
  return a < b ? -1 : 1;
}

function rankOf(segment: string | undefined): number {
  if (segment === '~') return -1;
  if (segment === undefined) return 0;
  if (segment === '^') return 1;
  return /^\d/.test(segment) ? 3 : 2;
}
