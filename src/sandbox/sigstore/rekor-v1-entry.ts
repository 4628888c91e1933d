import { createHash } from 'node:crypto';
import { json as jsonLib } from '@sigstore/core';
import { parseJson } from '../../base/json.ts';
import { asArray, asObject, asString, required, type JsonObject } from '../../base/shape.ts';
import { preAuthEncoding } from '../../intoto/dsse.ts';
import { verifiesDigest } from './digest-signature.ts';
import { keyOfPem, verifiesData } from './verifier-key.ts';

export const MAX_ENTRY_BYTES = 32 * 1024 * 1024;

/** What Rekor v1 stores of a kind of entry, once it has checked the signatures in it. Each throws when it refuses. */
const KINDS: Readonly<Record<string, (spec: JsonObject) => object>> = {
  'dsse 0.0.1': canonicalDsse,
  'hashedrekord 0.0.1': canonicalHashedRekord,
};

/**
 * The canonical body of a proposed entry: RFC 8785 over what the log keeps (rekor, pkg/types/{dsse,hashedrekord}/v0.0.1).
 *
 * @throws Error saying what is wrong with the entry
 */
export function canonicalBody(proposed: Uint8Array): Buffer {
  const what = 'the proposed entry';
  const entry = asObject(parseJson(proposed, { what, maxBytes: MAX_ENTRY_BYTES }), what);
  const kind = required(entry, 'kind', asString);
  const apiVersion = required(entry, 'apiVersion', asString);
  const canonicalise = Object.hasOwn(KINDS, `${kind} ${apiVersion}`) ? KINDS[`${kind} ${apiVersion}`] : undefined;
  if (canonicalise === undefined) throw new Error(`entries of kind ${kind} ${apiVersion} are not supported`);
  const spec = canonicalise(required(entry, 'spec', asObject));
  return Buffer.from(jsonLib.canonicalize({ apiVersion, kind, spec }));
}

function canonicalDsse(spec: JsonObject): object {
  const content = required(spec, 'proposedContent', asObject);
  const text = required(content, 'envelope', asString);
  const verifiers = required(content, 'verifiers', asArray).map((pem) => decode(asString(pem, 'verifiers')).toString());
  const envelope = asObject(parseJson(text, { what: 'the envelope', maxBytes: MAX_ENTRY_BYTES }), 'envelope');
  const payload = decode(required(envelope, 'payload', asString));
  const signed = preAuthEncoding(required(envelope, 'payloadType', asString), payload);
  const signatures = required(envelope, 'signatures', asArray).map((entry) => {
    const signature = required(asObject(entry, 'signatures'), 'sig', asString);
    const verifier = verifiers.find((pem) => verifiesData(keyOfPem(pem), signed, decode(signature)));
    if (verifier === undefined) throw new Error('could not verify envelope: no verifier accepts the signature');
    return { signature, verifier: encode(verifier) };
  });
  if (signatures.length === 0) throw new Error('the envelope has no signatures');
  return { envelopeHash: hashOf(text), payloadHash: hashOf(payload), signatures };
}

function canonicalHashedRekord(spec: JsonObject): object {
  const hash = required(required(spec, 'data', asObject), 'hash', asObject);
  const algorithm = required(hash, 'algorithm', asString);
  const value = required(hash, 'value', asString);
  const signature = required(spec, 'signature', asObject);
  const content = required(signature, 'content', asString);
  const pem = decode(required(required(signature, 'publicKey', asObject), 'content', asString)).toString();
  if (!Object.hasOwn(HEX_DIGITS, algorithm) || !/^[0-9a-f]+$/.test(value) || value.length !== HEX_DIGITS[algorithm])
    throw new Error('the hash should be a sha256, sha384 or sha512 in hex');
  if (!verifiesDigest(keyOfPem(pem), Buffer.from(value, 'hex'), decode(content)))
    throw new Error('verifying signature: invalid signature when validating ASN.1 encoded signature');
  return { data: { hash: { algorithm, value } }, signature: { content, publicKey: { content: encode(pem) } } };
}

const HEX_DIGITS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

function hashOf(data: string | Uint8Array): object {
  return { algorithm: 'sha256', value: createHash('sha256').update(data).digest('hex') };
}

function decode(base64: string): Buffer {
  return Buffer.from(base64, 'base64');
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}
