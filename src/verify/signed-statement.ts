import { isBoltsealError } from '../base/errors.ts';
import { isAbout, parseStatement, type Statement } from '../intoto/statement.ts';
import type { Digest } from '../oci/digest.ts';
import { Rejected } from './rejection.ts';

/**
 * The statement in a payload whose signature holds, which must be about one of these digests (of the same content).
 *
 * @throws Rejected STATEMENT_INVALID, SUBJECT_MISMATCH
 */
export function readSignedStatement(payload: Uint8Array, digests: readonly Digest[]): Statement {
  const statement = parse(payload);
  if (digests.some((digest) => isAbout(statement, digest))) return statement;
  const others = statement.subjects
    .flatMap(({ digest }) => Object.entries(digest).map(([algorithm, hex]) => `${algorithm}:${hex}`))
    .slice(0, 3);
  const about = others.length === 0 ? 'nothing by digest' : others.join(', ');
  throw new Rejected('SUBJECT_MISMATCH', `the statement is about ${about}, not about ${digests[0]}`);
}

function parse(payload: Uint8Array): Statement {
  try {
    return parseStatement(payload, 'the statement');
  } catch (cause) {
    if (!isBoltsealError(cause)) throw cause;
    throw new Rejected('STATEMENT_INVALID', cause.message, cause);
  }
}
