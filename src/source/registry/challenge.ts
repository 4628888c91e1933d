/** One entry of a WWW-Authenticate header: RFC 9110, 11.6.1. */
export interface Challenge {
  /** Lower case: basic, bearer. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * All challenges of a WWW-Authenticate header, in order. The header separates challenges and their parameters by the same
 * comma, so a word followed by another word starts a challenge and a word followed by `=` is a parameter.
 * Stops at what it does not understand: a hostile header can only lead to fewer challenges.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const found: { scheme: string; parameters: Record<string, string> }[] = [];
  const token =
    /[\s,]*(?:([A-Za-z0-9!#$%&'*+.^_`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))|([A-Za-z][\w-]*)(?=\s|,|$))/y;
  for (let match = token.exec(header); match !== null; match = token.exec(header)) {
    const [, name, quoted, bare, scheme] = match;
    if (scheme !== undefined) found.push({ scheme: scheme.toLowerCase(), parameters: {} });
    else if (name !== undefined) {
      const parameters = found.at(-1)?.parameters;
      if (parameters !== undefined && !Object.hasOwn(parameters, name.toLowerCase()))
        parameters[name.toLowerCase()] = quoted?.replaceAll(/\\(.)/g, '$1') ?? bare ?? '';
    }
  }
  return found;
}
