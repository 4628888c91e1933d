/** The payload type of an in-toto statement: in-toto attestation 1.1, spec/v1/envelope.md. */
export const INTOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/**
 * The bytes a DSSE signature is made over: DSSE 1.0.2, protocol.md#signature-definition.
 * Lengths are in bytes, decimal.
 */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = Buffer.from(payloadType, 'utf8');
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} `), type, Buffer.from(` ${payload.length} `), payload]);
}
