import { ERROR_CODES, type ErrorCode } from './error-codes.ts';

interface ErrorDetails {
  /** The next step for the person who reads this, as a whole sentence. */
  readonly hint: string;
  readonly cause?: unknown;
}

/**
 * The one error class. `message` says what happened and where, `hint` what to do next, `code` is stable.
 * Messages never hold credentials: URLs are redacted before they get here.
 */
export class BoltsealError extends Error {
  override readonly name = 'BoltsealError';
  readonly code: ErrorCode;
  readonly hint: string;

  constructor(code: ErrorCode, message: string, { hint, cause }: ErrorDetails) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
  }

  /** Process exit code: 1 denied, 2 usage, 3 could not find out, 70 a bug. */
  get exitCode(): 1 | 2 | 3 | 70 {
    return ERROR_CODES[this.code].exit;
  }
}

/** True for a BoltsealError, of this copy of the package or another; with `codes`, only for one of those. */
export function isBoltsealError(error: unknown, ...codes: readonly ErrorCode[]): error is BoltsealError {
  const known = error instanceof Error && error.name === 'BoltsealError' && 'code' in error;
  return known && (codes.length === 0 || codes.includes((error as BoltsealError).code));
}

/** What an unknown thrown value says of itself, on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s+/g, ' ').trim() || 'no message';
}

/** The `code` Node puts on system errors (ENOENT, ECONNREFUSED …), wherever in the chain of causes it is. */
export function systemCodeOf(error: unknown): string | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth += 1) {
    const code = 'code' in at && at.name !== 'BoltsealError' ? at.code : undefined;
    if (typeof code === 'string' && /^E[A-Z0-9_]+$/.test(code)) return code;
  }
  return undefined;
}
