import { ASN1Obj } from '@sigstore/core';
import { messageOf } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import { asCount, asObject, asString, optional, required } from '../../base/shape.ts';
import { plainError } from './api-error.ts';

export interface TimestampRequest {
  readonly hash: Buffer;
  readonly hashOid: string;
  readonly nonce?: number;
  readonly policyOid?: string;
  readonly wantsCertificates: boolean;
}

interface HashRow {
  readonly name: string;
  readonly oid: string;
  readonly bytes: number;
}

const HASHES: readonly HashRow[] = [
  { name: 'sha256', oid: '2.16.840.1.101.3.4.2.1', bytes: 32 },
  { name: 'sha384', oid: '2.16.840.1.101.3.4.2.2', bytes: 48 },
  { name: 'sha512', oid: '2.16.840.1.101.3.4.2.3', bytes: 64 },
];

export const MAX_TIMESTAMP_REQUEST_BYTES = 64 * 1024;

/** The JSON form that sigstore's timestamp authority takes. @throws ReplyError */
export function readJsonRequest(body: Buffer): TimestampRequest {
  return refuseAs400(() => {
    const what = 'the request';
    const object = asObject(parseJson(body, { what, maxBytes: MAX_TIMESTAMP_REQUEST_BYTES }), what);
    const algorithm = required(object, 'hashAlgorithm', asString);
    const nonce = optional(object, 'nonce', asCount);
    const policyOid = optional(object, 'tsaPolicyOID', asString);
    return {
      ...checkHash({ name: algorithm }, Buffer.from(required(object, 'artifactHash', asString), 'base64')),
      ...(nonce === undefined ? {} : { nonce }),
      ...(policyOid === undefined ? {} : { policyOid }),
      wantsCertificates: object['certificates'] === true,
    };
  });
}

/** TimeStampReq of RFC 3161, section 2.4.1, in DER. @throws ReplyError */
export function readDerRequest(body: Buffer): TimestampRequest {
  return refuseAs400(() => {
    const [version, imprint, ...rest] = ASN1Obj.parseBuffer(Buffer.from(body)).subs;
    if (version?.toInteger() !== 1n) throw new Error('the version should be 1');
    const [algorithm, hash] = imprint?.subs ?? [];
    const policy = rest.find(({ tag }) => tag.isOID());
    const nonce = rest.find(({ tag }) => tag.isInteger())?.toInteger();
    if (nonce !== undefined && (nonce < 0n || nonce > BigInt(Number.MAX_SAFE_INTEGER)))
      throw new Error('the sandbox takes nonces of at most 53 bits');
    return {
      ...checkHash({ oid: algorithm?.subs[0]?.toOID() ?? '' }, hash?.value ?? Buffer.alloc(0)),
      ...(nonce === undefined ? {} : { nonce: Number(nonce) }),
      ...(policy === undefined ? {} : { policyOid: policy.toOID() }),
      wantsCertificates: rest.find(({ tag }) => tag.isBoolean())?.toBoolean() ?? false,
    };
  });
}

function checkHash(wanted: Partial<HashRow>, hash: Buffer): { readonly hash: Buffer; readonly hashOid: string } {
  const row = HASHES.find(({ name, oid }) => name === wanted.name || oid === wanted.oid);
  if (row === undefined) throw new Error('the hash algorithm should be sha256, sha384 or sha512');
  if (hash.length !== row.bytes)
    throw new Error(`a ${row.name} hash should be ${row.bytes} bytes but is ${hash.length}`);
  return { hash, hashOid: row.oid };
}

function refuseAs400<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw plainError(400, `Error generating timestamp response: ${messageOf(error)}`);
  }
}
