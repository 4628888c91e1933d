import type { SignatureBundle, Witness } from '@sigstore/sign';
import { HashAlgorithm } from '@sigstore/protobuf-specs';
import type { Context } from '../base/context.ts';
import { messageOf } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { asArray, asCount, asObject, asString, required, type JsonObject } from '../base/shape.ts';
import { requestService } from './http.ts';
import { serviceError } from './service-error.ts';

const WHAT = 'an entry in the transparency log';
const MAX_ENTRY_BYTES = 8 * 1024 * 1024;

type WitnessedEntry = NonNullable<Awaited<ReturnType<Witness['testify']>>['tlogEntries']>[number];
type MessageSignature = Extract<SignatureBundle, { $case: 'messageSignature' }>['messageSignature'];

/**
 * Has a message signature logged in Rekor v1 as hashedrekord 0.0.1. An entry that is there already (409) is fetched.
 *
 * Stands for RekorWitness of @sigstore/sign 5.1, which calls every digest a SHA-256 one.
 *
 * @throws BoltsealError REKOR_FAILED, INTERRUPTED
 */
export async function logMessage(
  message: MessageSignature,
  { url, verifierPem }: { readonly url: string; readonly verifierPem: string },
  context: Context,
): Promise<WitnessedEntry> {
  const proposed = proposedEntry(message, verifierPem);
  const answer = await requestService(
    {
      code: 'REKOR_FAILED',
      what: WHAT,
      url: `${url.replace(/\/+$/, '')}/api/v1/log/entries`,
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(proposed),
      timeoutMs: LIMITS.rekorTimeoutMs,
      maxBytes: MAX_ENTRY_BYTES,
      answerElsewhere: 409,
    },
    context,
  );
  return readEntry(answer, url, message);
}

const HASH_NAMES: Readonly<Partial<Record<HashAlgorithm, string>>> = {
  [HashAlgorithm.SHA2_256]: 'sha256',
  [HashAlgorithm.SHA2_384]: 'sha384',
  [HashAlgorithm.SHA2_512]: 'sha512',
};

/** rekor 1.5, pkg/types/hashedrekord/v0.0.1. */
function proposedEntry({ messageDigest, signature }: MessageSignature, verifierPem: string): object {
  return {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: {
        hash: { algorithm: HASH_NAMES[messageDigest.algorithm], value: messageDigest.digest.toString('hex') },
      },
      signature: {
        content: signature.toString('base64'),
        publicKey: { content: Buffer.from(verifierPem).toString('base64') },
      },
    },
  };
}

/** The log's API gives hex and numbers where a bundle has bytes and decimal strings (rekor, openapi.yaml, LogEntry). */
function readEntry(answer: Buffer, url: string, { messageDigest, signature }: MessageSignature): WitnessedEntry {
  try {
    const object = asObject(parseJson(answer, { what: 'the entry', maxBytes: MAX_ENTRY_BYTES }), 'the entry');
    const [entry, ...more] = Object.values(object).map((value) => asObject(value, 'the entry'));
    if (entry === undefined || more.length > 0) throw new Error('it should hold one entry');
    const canonicalizedBody = Buffer.from(required(entry, 'body', asString), 'base64');
    const stored = canonicalizedBody.toString();
    if (!stored.includes(messageDigest.digest.toString('hex')) || !stored.includes(signature.toString('base64')))
      throw new Error('it is about another signature');
    const verification = required(entry, 'verification', asObject);
    return {
      logIndex: String(required(entry, 'logIndex', asCount)),
      logId: { keyId: fromHex(required(entry, 'logID', asString)) },
      kindVersion: { kind: 'hashedrekord', version: '0.0.1' },
      integratedTime: String(required(entry, 'integratedTime', asCount)),
      inclusionPromise: {
        signedEntryTimestamp: Buffer.from(required(verification, 'signedEntryTimestamp', asString), 'base64'),
      },
      inclusionProof: readProof(required(verification, 'inclusionProof', asObject)),
      canonicalizedBody,
    };
  } catch (cause) {
    const detail = `the answer is not the entry: ${messageOf(cause)}`;
    throw serviceError('REKOR_FAILED', { what: WHAT, url, status: 200, detail, cause });
  }
}

function readProof(proof: JsonObject): NonNullable<WitnessedEntry['inclusionProof']> {
  return {
    logIndex: String(required(proof, 'logIndex', asCount)),
    treeSize: String(required(proof, 'treeSize', asCount)),
    rootHash: fromHex(required(proof, 'rootHash', asString)),
    hashes: required(proof, 'hashes', asArray).map((hash, at) => fromHex(asString(hash, `hashes[${at}]`))),
    checkpoint: { envelope: required(proof, 'checkpoint', asString) },
  };
}

function fromHex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}
