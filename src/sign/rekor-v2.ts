import { createHash, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import { TransparencyLogEntry } from '@sigstore/protobuf-specs';
import type { SignatureBundle, Witness } from '@sigstore/sign';
import type { Context } from '../base/context.ts';
import { messageOf } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { asObject } from '../base/shape.ts';
import { preAuthEncoding } from '../intoto/dsse.ts';
import { requestService } from './http.ts';
import { schemeOf } from './key/scheme.ts';
import { serviceError } from './service-error.ts';

const WHAT = 'an entry in the transparency log';
const MAX_ENTRY_BYTES = 8 * 1024 * 1024;

type WitnessedEntry = NonNullable<Awaited<ReturnType<Witness['testify']>>['tlogEntries']>[number];

/**
 * Has a signature logged in Rekor v2 as hashedrekord 0.0.2, over the digest of what it covers: an envelope's
 * pre-authentication encoding, or a message.
 *
 * Stands for RekorWitness of @sigstore/sign 5.1, which posts the `dsse` kind that the log no longer takes
 * (rekor-tiles #744), takes every key for a P-256 one in a certificate and, from a signing configuration, gives up after 5 s although an answer may take 20.
 */
export function rekorV2Witness(url: string, context: Context): Witness {
  return {
    async testify(content, verifierPem) {
      const request = entryRequest(content, verifierPem);
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

/** rekor-tiles 2.3, api/proto/rekor/v2/hashedrekord.proto. Digests are by the hash of the key's own scheme. */
function entryRequest(content: SignatureBundle, pem: string): EntryRequest {
  const { publicKey, verifier } = readVerifier(pem);
  const { keyDetails, hash } = schemeOf(publicKey, 'the key');
  if (hash === undefined) throw new Error('an Ed25519 signature has no digest to be logged by');
  const { digest, signature } = signedDigest(content, hash);
  return {
    digest: digest.toString('base64'),
    signature: { content: signature.toString('base64'), verifier: { ...verifier, keyDetails } },
  };
}

function readVerifier(pem: string): { readonly publicKey: KeyObject; readonly verifier: object } {
  if (pem.includes('BEGIN CERTIFICATE')) {
    const { publicKey, raw } = new X509Certificate(pem);
    return { publicKey, verifier: { x509Certificate: { rawBytes: raw.toString('base64') } } };
  }
  const publicKey = createPublicKey(pem);
  const rawBytes = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  return { publicKey, verifier: { publicKey: { rawBytes } } };
}

function signedDigest(content: SignatureBundle, hash: string): { readonly digest: Buffer; readonly signature: Buffer } {
  if (content.$case === 'messageSignature') {
    const { messageDigest, signature } = content.messageSignature;
    return { digest: messageDigest.digest, signature };
  }
  const { payloadType, payload, signatures } = content.dsseEnvelope;
  const digest = createHash(hash).update(preAuthEncoding(payloadType, payload)).digest();
  return { digest, signature: signatures[0]?.sig ?? Buffer.alloc(0) };
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
