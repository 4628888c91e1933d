import { ERROR_CODES } from '../src/base/error-codes.ts';
import { DECISION_CODES } from '../src/policy/decision.ts';
import { REJECTIONS } from '../src/verify/rejection.ts';

interface GeneratedPart {
  readonly file: string;
  /** The part stands between `<!-- marker -->` and `<!-- /marker -->`. */
  readonly marker: string;
  /** Of a Markdown table. */
  readonly rows: readonly string[];
}

function table(head: readonly string[], body: readonly (readonly string[])[]): readonly string[] {
  return [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`);
}

/** The parts of the documents that are made from the code. */
export const GENERATED: readonly GeneratedPart[] = [
  {
    file: 'README.md',
    marker: 'error-codes',
    rows: table(
      ['code', 'exit', 'meaning'],
      Object.entries(ERROR_CODES).map(([code, { exit, meaning }]) => [`\`${code}\``, String(exit), meaning]),
    ),
  },
  {
    file: 'docs/policy.md',
    marker: 'decision-codes',
    rows: table(
      ['code', 'meaning'],
      Object.entries(DECISION_CODES).map(([code, meaning]) => [`\`${code}\``, meaning]),
    ),
  },
  {
    file: 'docs/policy.md',
    marker: 'rejection-codes',
    rows: table(
      ['code', 'meaning', 'what to do'],
      Object.entries(REJECTIONS).map(([code, { meaning, next }]) => [`\`${code}\``, meaning, next]),
    ),
  },
];
