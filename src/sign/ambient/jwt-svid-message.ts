/** One identity document, as the SPIFFE Workload API's message JWTSVID has it. */
export interface JwtSvid {
  readonly spiffeId: string;
  readonly token: string;
}

/** JWTSVIDRequest (workload.proto, SPIFFE Workload API 1.0): `repeated string audience = 1`, and no wish for one ID. */
export function encodeJwtSvidRequest(audience: string): Buffer {
  const bytes = Buffer.from(audience);
  return Buffer.concat([Buffer.from([tagOf(AUDIENCE)]), varint(bytes.length), bytes]);
}

/** JWTSVIDResponse: `repeated JWTSVID svids = 1`, each `string spiffe_id = 1; string svid = 2`. @throws Error when malformed */
export function decodeJwtSvidResponse(message: Buffer): readonly JwtSvid[] {
  return fieldsOf(message)
    .filter(({ number }) => number === SVIDS)
    .map(({ bytes }) => {
      const fields = fieldsOf(bytes);
      return { spiffeId: textOf(fields, SPIFFE_ID), token: textOf(fields, SVID) };
    });
}

const AUDIENCE = 1;
const SVIDS = 1;
const SPIFFE_ID = 1;
const SVID = 2;

/** Wire types of the protobuf encoding; 3 and 4 are groups, which proto3 does not have. */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

interface Field {
  readonly number: number;
  readonly bytes: Buffer;
}

/** The length-delimited fields of a message; fields of other wire types are unknown ones here, and skipped. */
function fieldsOf(message: Buffer): readonly Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < message.length;) {
    const tag = readVarint(message, at);
    const wireType = tag.value & 7;
    const length = wireType === LENGTH_DELIMITED ? readVarint(message, tag.end) : sizeOf(wireType, message, tag.end);
    const end = length.end + length.value;
    if (end > message.length) throw new Error('a field ends after the message');
    if (wireType === LENGTH_DELIMITED)
      fields.push({ number: tag.value >>> 3, bytes: message.subarray(length.end, end) });
    at = end;
  }
  return fields;
}

interface Read {
  readonly value: number;
  /** Where the next thing begins. */
  readonly end: number;
}

function sizeOf(wireType: number, message: Buffer, at: number): Read {
  if (wireType === VARINT) return { value: 0, end: readVarint(message, at).end };
  if (wireType === FIXED64) return { value: 8, end: at };
  if (wireType === FIXED32) return { value: 4, end: at };
  throw new Error(`wire type ${wireType} is not one of proto3`);
}

/** Up to 10 bytes of 7 bits; a value beyond 2^53 is inexact, and larger than any message then. */
function readVarint(message: Buffer, start: number): Read {
  let value = 0;
  for (let at = start; at < start + 10; at += 1) {
    const byte = message[at];
    if (byte === undefined) throw new Error('the message ends inside a number');
    value += (byte & 0x7f) * 2 ** (7 * (at - start));
    if (byte < 0x80) return { value, end: at + 1 };
  }
  throw new Error('a number has more than 10 bytes');
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  return Buffer.from([...bytes, rest]);
}

function tagOf(fieldNumber: number): number {
  return fieldNumber * 8 + LENGTH_DELIMITED;
}

function textOf(fields: readonly Field[], wanted: number): string {
  return fields.findLast(({ number }) => number === wanted)?.bytes.toString('utf8') ?? '';
}
