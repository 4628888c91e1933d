import { compileGlob, globProblem } from './glob.ts';

/** What a text must be. An exact rule is exact, whatever characters it holds. */
export interface TextRule {
  readonly kind: 'exact' | 'glob' | 'regex';
  readonly written: string;
  readonly matches: (text: string) => boolean;
}

export type TextRuleResult =
  { readonly ok: true; readonly value: TextRule } | { readonly ok: false; readonly problem: string };

export function exactRule(written: string): TextRule {
  return { kind: 'exact', written, matches: (text) => text === written };
}

export function globRule(written: string): TextRuleResult {
  const problem = globProblem(written);
  if (problem !== undefined) return { ok: false, problem };
  return { ok: true, value: { kind: 'glob', written, matches: compileGlob(written) } };
}

const MAX_REGEX = 1024;

/**
 * RE2 syntax, which takes linear time on every text. The whole text must match: the engine anchors, so that neither
 * `a|b` nor an unbalanced bracket can open an end.
 */
export async function regexRule(written: string): Promise<TextRuleResult> {
  if (written.length > MAX_REGEX)
    return { ok: false, problem: `the expression is longer than ${MAX_REGEX} characters` };
  const { RE2JS } = await import('re2js');
  try {
    const compiled = RE2JS.compile(written);
    return { ok: true, value: { kind: 'regex', written, matches: (text) => compiled.matches(text) } };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, problem: `not an RE2 expression: ${reason}` };
  }
}
