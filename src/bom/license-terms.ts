import parseExpression from 'spdx-expression-parse';

/** A declared licence, as SPDX understands it. */
export type LicenseTerm =
  | { readonly kind: 'id'; readonly id: string }
  | { readonly kind: 'expression'; readonly expression: string }
  /** Not SPDX: kept as the package calls it. */
  | { readonly kind: 'name'; readonly name: string };

/** Longer texts are no expressions; the parser would take its time with them. */
const LONGEST_EXPRESSION = 2000;

/**
 * Understands licences as packages declare them. Nothing is guessed: what is no valid SPDX identifier or expression (license
 * list as of spdx-license-ids) keeps the name it has.
 */
export function licenseTerm(declared: string): LicenseTerm {
  const text = declared.replaceAll(/\s+/g, ' ').trim();
  const parsed = text.length <= LONGEST_EXPRESSION ? parseOrNothing(text) : undefined;
  if (parsed === undefined) return { kind: 'name', name: text };
  const isPlain = 'license' in parsed && parsed.plus !== true && parsed.exception === undefined;
  return isPlain && !text.startsWith('LicenseRef-') && !text.startsWith('DocumentRef-')
    ? { kind: 'id', id: parsed.license }
    : { kind: 'expression', expression: text };
}

/** The parser's only answer to text that is no expression is to throw. */
function parseOrNothing(text: string): ReturnType<typeof parseExpression> | undefined {
  try {
    return parseExpression(text);
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
