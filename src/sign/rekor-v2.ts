import { createHash, X509Certificate } from 'node:crypto';
import { TransparencyLogEntry } from '@sigstore/protobuf-specs';
import type { SignatureBundle, Witness } from '@sigstore/sign';
import type { Context } from '../base/context.ts';
import { messageOf } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { asObject } from '../base/shape.ts';
import { preAuthEncoding } from '../intoto/dsse.ts';
import { requestService } from './http.ts';
import { serviceError } from './service-error.ts';

const WHAT = 'an entry in the transparency log';
const MAX_ENTRY_BYTES = 8 * 1024 * 1024;

type WitnessedEntry = NonNullable<Awaited<ReturnType<Witness['testify']>>['tlogEntries']>[number];

/**
 * Has an envelope logged in Rekor v2 as hashedrekord 0.0.2 over the digest of what its signature covers.
 *
 * Stands for RekorWitness of @sigstore/sign 5.1, which posts the `dsse` kind that the log no longer takes
 * (rekor-tiles #744) and, from a signing configuration, gives up after 5 s although an answer may take 20.
 */
export function rekorV2Witness(url: string, context: Context): Witness {
  return {
    async testify(content, certificatePem) {
      const request = entryRequest(content, new X509Certificate(certificatePem));
      const body = await requestService(
        {
          code: 'REKOR_FAILED',
          what: WHAT,
          url: `${url.replace(/\/+$/, '')}/api/v2/log/entries`,
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'application/json' },
          body: JSON.stringify({ hashedRekordRequestV002: request }),
          timeoutMs: LIMITS.rekorTimeoutMs,
          maxBytes: MAX_ENTRY_BYTES,
        },
        context,
      );
      return { tlogEntries: [readEntry(body, url, request)] };
    },
  };
}

interface EntryRequest {
  readonly digest: string;
  readonly signature: { readonly content: string; readonly verifier: object };
}

function entryRequest(content: SignatureBundle, certificate: X509Certificate): EntryRequest {
  if (content.$case !== 'dsseEnvelope') throw new Error('only envelopes are signed here');
  const { payloadType, payload, signatures } = content.dsseEnvelope;
  const digest = createHash('sha256').update(preAuthEncoding(payloadType, payload)).digest('base64');
  return {
    digest,
    signature: {
      content: (signatures[0]?.sig ?? Buffer.alloc(0)).toString('base64'),
      verifier: {
        x509Certificate: { rawBytes: certificate.raw.toString('base64') },
        keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      },
    },
  };
}

/** The entry is stored in the bundle as it came; only that it is whole, and about our signature, is looked at. */
function readEntry(body: Buffer, url: string, request: EntryRequest): WitnessedEntry {
  try {
    const value = asObject(parseJson(body, { what: 'the entry', maxBytes: MAX_ENTRY_BYTES }), 'the entry');
    const { logId, kindVersion, inclusionProof, ...entry } = TransparencyLogEntry.fromJSON(value);
    if (logId === undefined || kindVersion === undefined || inclusionProof?.checkpoint === undefined)
      throw new Error('it has no log ID, kind or inclusion proof');
    const stored = entry.canonicalizedBody.toString('utf8');
    if (!stored.includes(request.digest) || !stored.includes(request.signature.content))
      throw new Error('it is about another signature');
    return {
      ...entry,
      logId,
      kindVersion,
      inclusionProof: { ...inclusionProof, checkpoint: inclusionProof.checkpoint },
    };
  } catch (cause) {
    const detail = `the answer is not the entry: ${messageOf(cause)}`;
    throw serviceError('REKOR_FAILED', { what: WHAT, url, status: 200, detail, cause });
  }
}
