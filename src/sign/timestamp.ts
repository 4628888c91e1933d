import { createHash, randomBytes } from 'node:crypto';
import { ASN1Obj } from '@sigstore/core';
import type { SignatureBundle, Witness } from '@sigstore/sign';
import type { Context } from '../base/context.ts';
import { messageOf } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { requestService } from './http.ts';
import { serviceError } from './service-error.ts';

const WHAT = 'a timestamp';

/**
 * Has a signature timestamped by an RFC 3161 authority. `url` is where requests go, path included.
 *
 * Stands for TSAWitness of @sigstore/sign 5.1, which speaks only sigstore's own JSON form of the request, so that no
 * other authority understands it, and takes whatever comes back for a timestamp.
 */
export function timestampWitness(url: string, context: Context): Witness {
  return {
    async testify(content) {
      const signature = signatureOf(content);
      const nonce = randomNonce();
      const response = await requestService(
        {
          code: 'TSA_FAILED',
          what: WHAT,
          url,
          method: 'POST',
          headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
          body: timestampQuery(signature, nonce),
          timeoutMs: LIMITS.timestampTimeoutMs,
          maxBytes: MAX_RESPONSE_BYTES,
        },
        context,
      );
      checkResponse(response, url, { signature, nonce });
      return { rfc3161Timestamps: [{ signedTimestamp: response }] };
    },
  };
}

const MAX_RESPONSE_BYTES = 256 * 1024;

/** TimeStampReq of RFC 3161, section 2.4.1: version 1, a SHA-256 imprint, a nonce, no certificates. */
function timestampQuery(signature: Uint8Array, nonce: Buffer): Buffer {
  const imprint = der(0x30, SHA256_ALGORITHM, der(0x04, sha256(signature)));
  return der(0x30, der(0x02, Uint8Array.of(1)), imprint, der(0x02, nonce));
}

/** AlgorithmIdentifier of SHA-256: OID 2.16.840.1.101.3.4.2.1, parameters NULL. */
const SHA256_ALGORITHM = Buffer.from('300d06096086480165030402010500', 'hex');

/** Every value here is shorter than 128 bytes, so that its length is one byte. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Uint8Array.of(tag, content.length), content]);
}

/** Six bytes, positive and in shortest form: the first byte is from 0x40 to 0x7f. */
function randomNonce(): Buffer {
  const nonce = randomBytes(6);
  nonce.writeUInt8(0x40 | (nonce.readUInt8(0) & 0x3f), 0);
  return nonce;
}

interface Asked {
  readonly signature: Uint8Array;
  readonly nonce: Buffer;
}

/** RFC 3161, section 2.4.2: granted, over our hash, with our nonce. Who signed it is for the verifier to ask. */
function checkResponse(response: Buffer, url: string, { signature, nonce }: Asked): void {
  const fail = (detail: string, cause?: unknown): Error =>
    serviceError('TSA_FAILED', { what: WHAT, url, status: 200, detail, cause });
  const info = readInfo(response, fail);
  if (info.status > 1n) throw fail(`the authority answered with status ${info.status}`);
  if (info.imprint?.equals(sha256(signature)) !== true) throw fail('the timestamp is over something else');
  if (info.nonces.every((found) => !found.equals(nonce))) throw fail('the timestamp answers another request');
}

interface TimestampInfo {
  readonly status: bigint;
  readonly imprint: Buffer | undefined;
  /** The integers after the imprint: serial number and nonce. */
  readonly nonces: readonly Buffer[];
}

function readInfo(response: Buffer, fail: (detail: string, cause?: unknown) => Error): TimestampInfo {
  try {
    const [status, token] = ASN1Obj.parseBuffer(Buffer.from(response)).subs;
    const signedData = token?.subs[1]?.subs[0];
    const content = signedData?.subs[2]?.subs[1]?.subs[0];
    const info = content === undefined ? [] : ASN1Obj.parseBuffer(Buffer.from(content.value)).subs;
    const at = info.findIndex(({ tag }) => tag.isGeneralizedTime());
    return {
      status: status?.subs[0]?.toInteger() ?? 2n,
      imprint: info[2]?.subs[1]?.value,
      nonces: info
        .slice(at + 1)
        .filter(({ tag }) => tag.isInteger())
        .map(({ value }) => value),
    };
  } catch (cause) {
    throw fail(`the answer is not a timestamp: ${messageOf(cause)}`, cause);
  }
}

function signatureOf(content: SignatureBundle): Buffer {
  if (content.$case === 'messageSignature') return content.messageSignature.signature;
  return content.dsseEnvelope.signatures[0]?.sig ?? Buffer.alloc(0);
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
