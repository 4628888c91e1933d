/**
 * A pattern over a whole text: `*` stands for anything without a slash, `**` for anything at all (at least one
 * character, where it is a path segment of its own). Everything else stands for itself. Anchored at both ends.
 */
export function compileGlob(pattern: string): (text: string) => boolean {
  const source = pattern
    .split(/(\*\*?)/)
    .map((part) => (part === '**' ? '[^]+' : part === '*' ? '[^/]*' : escape(part)))
    .join('');
  const compiled = new RegExp(`^(?:${source})$`, 'u');
  return (text) => text.length <= MAX_TEXT && compiled.test(text);
}

/** Longer than any name that is compared, and short enough for a pattern with several stars to stay quick. */
const MAX_TEXT = 2048;
/** Each star multiplies the work in the worst case. */
const MAX_STARS = 6;

/** What makes a pattern unusable, or undefined. */
export function globProblem(pattern: string): string | undefined {
  if (pattern.includes('***')) return 'a pattern has at most two stars in a row';
  const stars = pattern.match(/\*\*?/g)?.length ?? 0;
  return stars > MAX_STARS ? `a pattern has at most ${MAX_STARS} stars` : undefined;
}

function escape(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}
