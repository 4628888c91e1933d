import { predicateTypeUri, COSIGN_SIGN_PREDICATE_TYPE } from '../intoto/predicate-types.ts';
import { STATEMENT_V01, STATEMENT_V1 } from '../intoto/statement.ts';
import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { algorithmOf, encodedOf, type Digest } from '../oci/digest.ts';

/** A predicate ready to be put in a statement. */
export interface Predicate {
  /** URI. */
  readonly type: string;
  /** JSON text, which goes into the statement as it is: numbers keep the digits their author wrote. */
  readonly json: string;
}

/**
 * The statement that cosign 3 signs for an image: "I signed this digest", and what the caller adds as annotations.
 * UTF-8 JSON, the same bytes for the same arguments.
 */
export function signatureStatement(digest: Digest, annotations: Readonly<Record<string, string>> = {}): Uint8Array {
  const subject = { digest: digestSet(digest), ...(Object.keys(annotations).length === 0 ? {} : { annotations }) };
  const type = COSIGN_SIGN_PREDICATE_TYPE;
  return Buffer.from(JSON.stringify({ _type: STATEMENT_V1, subject: [subject], predicateType: type, predicate: {} }));
}

interface AttestationSubject {
  /** Repository, as cosign writes it: "registry.example/app". */
  readonly name: string;
  readonly digest: Digest;
}

/** The statement that cosign 3 signs for an attestation. UTF-8 JSON, the same bytes for the same arguments. */
export function attestationStatement({ name, digest }: AttestationSubject, predicate: Predicate): Uint8Array {
  const subject = [{ name, digest: digestSet(digest) }];
  const head = JSON.stringify({ _type: STATEMENT_V01, subject, predicateType: predicate.type });
  return Buffer.from(`${head.slice(0, -1)},"predicate":${predicate.json.trim()}}`);
}

/**
 * Makes a predicate of a file's bytes the way `cosign attest --type` does: `custom` wraps the text with the time, `spdx`
 * keeps a tag-value document as a string, everything else is a JSON object that goes in as it is.
 *
 * @throws BoltsealError USAGE for an unknown type, STATEMENT_INVALID, JSON_INVALID, LIMIT_EXCEEDED
 */
export function makePredicate(typeNameOrUri: string, content: Uint8Array, context: Context): Predicate {
  const type = predicateTypeUri(typeNameOrUri);
  if (type === undefined) {
    throw new BoltsealError('USAGE', `"${typeNameOrUri}" is not a predicate type`, {
      hint: 'Use one of the short names, such as cyclonedx, spdxjson or slsaprovenance1, or a URI.',
    });
  }
  if (typeNameOrUri === 'custom') {
    const timestamp = context
      .now()
      .toISOString()
      .replace(/\.\d+Z$/, 'Z');
    return { type, json: JSON.stringify({ Data: decodeText(content), Timestamp: timestamp }) };
  }
  if (typeNameOrUri === 'spdx') return { type, json: JSON.stringify(decodeText(content)) };
  const what = `the ${typeNameOrUri} predicate`;
  const value = parseJson(content, { what, maxBytes: LIMITS.bundleBytes });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BoltsealError('STATEMENT_INVALID', `${what} should be a JSON object`, {
      hint: 'Give the document itself; to attest any other text, use --type custom.',
    });
  }
  return { type, json: decodeText(content) };
}

function decodeText(content: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch (cause) {
    throw new BoltsealError('STATEMENT_INVALID', 'the predicate is not UTF-8 text', {
      hint: 'Attest text; put binary content in the registry and attest its digest.',
      cause,
    });
  }
}

function digestSet(digest: Digest): Readonly<Record<string, string>> {
  return { [algorithmOf(digest)]: encodedOf(digest) };
}
