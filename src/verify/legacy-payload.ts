import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { asObject, asString, optional, required, ShapeError, type JsonObject } from '../base/shape.ts';
import { COSIGN_SIGN_PREDICATE_TYPE } from '../intoto/predicate-types.ts';
import { STATEMENT_V1, type Statement } from '../intoto/statement.ts';
import { algorithmOf, encodedOf, type Digest } from '../oci/digest.ts';
import { Rejected } from './rejection.ts';

const TYPE = 'cosign container image signature';

/**
 * Reads a simple-signing payload (containers/image, atomic-signature.md, with cosign's type) whose signature holds, as the
 * statement that takes its place today: "I signed this digest". Strict, since the payload is the statement: nothing beside the
 * three critical fields, and nothing twice.
 *
 * @throws Rejected STATEMENT_INVALID, SUBJECT_MISMATCH
 */
export function readSimpleSigning(bytes: Uint8Array, subject: Digest): Statement {
  const { digest, reference, annotations } = parse(bytes);
  if (digest !== subject)
    throw new Rejected('SUBJECT_MISMATCH', `the signature is about ${digest}, not about ${subject}`);
  return {
    type: STATEMENT_V1,
    subjects: [
      {
        ...(reference === '' ? {} : { name: reference }),
        digest: { [algorithmOf(subject)]: encodedOf(subject) },
        ...(annotations === undefined ? {} : { annotations }),
      },
    ],
    predicateType: COSIGN_SIGN_PREDICATE_TYPE,
    predicate: {},
  };
}

interface SimpleSigning {
  readonly digest: string;
  readonly reference: string;
  readonly annotations: JsonObject | undefined;
}

function parse(bytes: Uint8Array): SimpleSigning {
  try {
    const payload = asObject(parseJson(bytes, { what: 'the payload', maxBytes: LIMITS.bundleBytes }), 'the payload');
    checkFields(payload, ['critical', 'optional'], 'the payload');
    const critical = required(payload, 'critical', asObject);
    checkFields(critical, ['identity', 'image', 'type'], 'critical');
    const type = required(critical, 'type', asString, 'critical');
    if (type !== TYPE) throw new ShapeError(`critical.type should be "${TYPE}" but is "${type}"`);
    const identity = required(critical, 'identity', asObject, 'critical');
    checkFields(identity, ['docker-reference'], 'critical.identity');
    const image = required(critical, 'image', asObject, 'critical');
    checkFields(image, ['docker-manifest-digest'], 'critical.image');
    return {
      digest: required(image, 'docker-manifest-digest', asString, 'critical.image'),
      reference: required(identity, 'docker-reference', asString, 'critical.identity'),
      annotations: optional(payload, 'optional', asObject),
    };
  } catch (cause) {
    throw new Rejected('STATEMENT_INVALID', 'the signed payload is not a simple-signing document', cause);
  }
}

function checkFields(object: JsonObject, known: readonly string[], where: string): void {
  const unknown = Object.keys(object).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new ShapeError(`${where} has a field "${unknown}" that is not known`);
}
