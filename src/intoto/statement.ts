import { BoltsealError, messageOf } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import {
  asArray,
  asObject,
  asString,
  asStringMap,
  optional,
  required,
  ShapeError,
  type JsonObject,
} from '../base/shape.ts';
import { algorithmOf, encodedOf, type Digest } from '../oci/digest.ts';

/** in-toto attestation 1.1, spec/v1/statement.md. */
export interface Statement {
  readonly type: string;
  readonly subjects: readonly Subject[];
  readonly predicateType: string;
  /** Of whatever shape the predicate type says; not checked here. */
  readonly predicate: JsonObject | string | undefined;
}

export interface Subject {
  readonly name?: string;
  /** Algorithm to lower-case hex. */
  readonly digest: Readonly<Record<string, string>>;
  readonly annotations?: JsonObject;
}

export const STATEMENT_V1 = 'https://in-toto.io/Statement/v1';
export const STATEMENT_V01 = 'https://in-toto.io/Statement/v0.1';

/**
 * Parses the payload of an envelope. The signature over it is somebody else's to check.
 *
 * @throws BoltsealError STATEMENT_INVALID, JSON_INVALID, LIMIT_EXCEEDED
 */
export function parseStatement(bytes: Uint8Array, what: string): Statement {
  const value = parseJson(bytes, { what, maxBytes: LIMITS.bundleBytes });
  try {
    return readStatement(asObject(value, 'the statement'));
  } catch (cause) {
    if (!(cause instanceof ShapeError)) throw cause;
    throw new BoltsealError('STATEMENT_INVALID', `${what} is malformed: ${messageOf(cause)}`, {
      hint: 'The payload is not an in-toto statement. Attest again with a tool that writes one.',
      cause,
    });
  }
}

function readStatement(object: JsonObject): Statement {
  const type = required(object, '_type', asString);
  if (type !== STATEMENT_V1 && type !== STATEMENT_V01)
    throw new ShapeError(`_type should be ${STATEMENT_V1} but is ${type}`);
  const subjects = required(object, 'subject', asArray).map((entry, at) => readSubject(entry, `subject[${at}]`));
  if (subjects.length === 0) throw new ShapeError('subject should name at least one thing but is empty');
  return {
    type,
    subjects,
    predicateType: required(object, 'predicateType', asString),
    predicate: optional(object, 'predicate', (value) =>
      typeof value === 'string' ? value : asObject(value, 'predicate'),
    ),
  };
}

function readSubject(value: unknown, where: string): Subject {
  const object = asObject(value, where);
  const name = optional(object, 'name', asString, where);
  const annotations = optional(object, 'annotations', asObject, where);
  return {
    ...(name === undefined || name === '' ? {} : { name }),
    digest: required(object, 'digest', asStringMap, where),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** Whether the statement is about this content, by the same algorithm. Hex is compared as written: upper case is no match. */
export function isAbout(statement: Statement, digest: Digest): boolean {
  const algorithm = algorithmOf(digest);
  return statement.subjects.some(
    (subject) => Object.hasOwn(subject.digest, algorithm) && subject.digest[algorithm] === encodedOf(digest),
  );
}
