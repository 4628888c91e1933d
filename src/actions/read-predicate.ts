import type { Context } from '../base/context.ts';
import { BoltsealError, isBoltsealError } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { ShapeError, type JsonObject } from '../base/shape.ts';
import { readBomValue } from '../bom/read.ts';
import { checkPredicateShape, guessPredicateType } from '../intoto/predicate-shape.ts';
import { CYCLONEDX_PREDICATE_TYPE, PREDICATE_ALIASES, predicateTypeUri } from '../intoto/predicate-types.ts';
import { makePredicate, type Predicate } from '../sign/statements.ts';

/**
 * Makes a predicate of a file's bytes, and checks it against its type where that is certain. Without a type, what the bytes
 * contain says it, and it is told which.
 *
 * @throws BoltsealError USAGE, STATEMENT_INVALID, JSON_INVALID, LIMIT_EXCEEDED
 */
export function readPredicate(type: string | undefined, content: Uint8Array, context: Context): Predicate {
  if (type === undefined) return readPredicate(guessType(content, context), content, context);
  const predicate = makePredicate(type, content, context);
  if (WRAPPED.has(type)) checkWrapped(type, content);
  else checkShape(type, predicate);
  return predicate;
}

/** Whose predicates are any text. */
const WRAPPED: ReadonlySet<string> = new Set(['custom', 'spdx']);

function guessType(content: Uint8Array, context: Context): string {
  const guessed = isTagValue(content) ? 'spdx' : guessFrom(objectOf(content));
  if (guessed === undefined)
    throw new BoltsealError('USAGE', 'the type of the predicate cannot be told from what it contains', {
      hint: `Say it with --type: ${PREDICATE_ALIASES.join(', ')}, or a URI.`,
    });
  context.emit({ kind: 'step', message: `the predicate is attested as ${guessed}, by what it contains` });
  return guessed;
}

function guessFrom(object: JsonObject | undefined): string | undefined {
  return object === undefined ? undefined : guessPredicateType(object);
}

/** Undefined for what is no JSON object. @throws BoltsealError LIMIT_EXCEEDED */
function objectOf(content: Uint8Array): JsonObject | undefined {
  try {
    const value = parseJson(content, { what: 'the predicate', maxBytes: LIMITS.bundleBytes });
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch (error) {
    if (isBoltsealError(error, 'JSON_INVALID')) return undefined;
    throw error;
  }
}

/** SPDX 2.3, chapter 6: the tag that a document begins with. */
function isTagValue(content: Uint8Array): boolean {
  return /^(\s|#.*\n)*SPDXVersion:/.test(Buffer.from(content.subarray(0, 4096)).toString('utf8'));
}

function checkWrapped(type: string, content: Uint8Array): void {
  if (type === 'custom' || isTagValue(content)) return;
  throw mismatch(type, 'it does not begin with "SPDXVersion:"', guessFrom(objectOf(content)));
}

function checkShape(type: string, { type: uri, json }: Predicate): void {
  const value = parseJson(json, { what: `the ${type} predicate`, maxBytes: LIMITS.bundleBytes }) as JsonObject;
  try {
    checkPredicateShape(uri, value);
    if (uri === CYCLONEDX_PREDICATE_TYPE) readBomValue(value);
  } catch (cause) {
    if (!(cause instanceof ShapeError) && !isBoltsealError(cause, 'BOM_INVALID')) throw cause;
    throw mismatch(type, cause.message, hintedType(value, uri), cause);
  }
}

function hintedType(value: JsonObject, uri: string): string | undefined {
  if ('predicateType' in value && '_type' in value) return 'statement';
  const guessed = guessPredicateType(value);
  return guessed === undefined || predicateTypeUri(guessed) === uri ? undefined : guessed;
}

function mismatch(type: string, why: string, looksLike: string | undefined, cause?: unknown): BoltsealError {
  const hint =
    looksLike === 'statement'
      ? 'It is a whole statement. Give what its field "predicate" holds.'
      : looksLike === undefined
        ? 'Give a document of this type; to attest any other text, use --type custom.'
        : `It looks like ${looksLike}: use --type ${looksLike}, or leave --type out.`;
  return new BoltsealError('STATEMENT_INVALID', `the predicate is not ${type}: ${why}`, { hint, cause });
}
