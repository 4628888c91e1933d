/** A place in a file. Both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Something wrong with a policy file. */
export interface Problem extends Place {
  readonly path: string;
  /** What is wrong and, where one is near, the word that was probably meant. */
  readonly message: string;
}

/** Where readers say what is wrong, so that all of it can be told at once. */
export type Report = (place: Place, message: string) => void;

export function formatProblem({ path, line, column, message }: Problem): string {
  return `${path}:${line}:${column} ${message}`;
}

/** ` (did you mean "x"?)`, or nothing when no known word is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const near = known
    .map((candidate) => ({ candidate, distance: distanceOf(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.ceil(candidate.length / 3))
    .toSorted((a, b) => a.distance - b.distance)[0];
  return near === undefined ? '' : ` (did you mean "${near.candidate}"?)`;
}

/** Levenshtein. Words are short: keys and names of a policy. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (const [i, left] of Array.from(a.slice(0, 64)).entries()) {
    const next = [i + 1];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (left === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
