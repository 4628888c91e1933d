import { X509Certificate } from 'node:crypto';
import { BUNDLE_V01_MEDIA_TYPE, type Bundle, type TransparencyLogEntry } from '@sigstore/bundle';
import { HashAlgorithm } from '@sigstore/protobuf-specs';
import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { asCount, asObject, asString, required, type JsonObject } from '../base/shape.ts';
import { Rejected } from './rejection.ts';

export type LegacyAnnotations = Readonly<Record<string, string>>;

export const SIGNATURE_ANNOTATION = 'dev.cosignproject.cosign/signature';
const CERTIFICATE_ANNOTATION = 'dev.sigstore.cosign/certificate';
const LOG_ANNOTATION = 'dev.sigstore.cosign/bundle';
const TIMESTAMP_ANNOTATION = 'dev.sigstore.cosign/rfc3161timestamp';

/**
 * What stands in the annotations of a layer, in the terms of a bundle: certificate or key, log entry with the log's
 * promise, timestamp. The `chain` annotation is not read: trust comes from the trust root.
 *
 * @throws Rejected BUNDLE_MALFORMED, CERTIFICATE_INVALID
 */
export function toBundle(annotations: LegacyAnnotations, signature: Buffer): Bundle {
  const certificate = annotations[CERTIFICATE_ANNOTATION] ?? '';
  const log = annotations[LOG_ANNOTATION] ?? '';
  const timestamp = annotations[TIMESTAMP_ANNOTATION] ?? '';
  return {
    mediaType: BUNDLE_V01_MEDIA_TYPE,
    content: {
      $case: 'messageSignature',
      messageSignature: { messageDigest: { algorithm: HashAlgorithm.SHA2_256, digest: Buffer.alloc(0) }, signature },
    },
    verificationMaterial: {
      content:
        certificate === ''
          ? { $case: 'publicKey', publicKey: { hint: '' } }
          : { $case: 'certificate', certificate: { rawBytes: derOf(certificate) } },
      tlogEntries: log === '' ? [] : [readLogEntry(log)],
      timestampVerificationData: {
        rfc3161Timestamps: timestamp === '' ? [] : [{ signedTimestamp: readTimestamp(timestamp) }],
      },
    },
  };
}

/** One certificate, and nothing after it that another reader might take instead. */
function derOf(pem: string): Buffer {
  try {
    if (pem.split('-----BEGIN').length !== 2) throw new Error('it holds several');
    return new X509Certificate(pem).raw;
  } catch (cause) {
    throw new Rejected('CERTIFICATE_INVALID', 'the certificate beside the signature cannot be read', cause);
  }
}

/** cosign's form of a Rekor v1 entry: the log's signed promise of it, without a proof that it was kept. */
function readLogEntry(text: string): TransparencyLogEntry {
  return read(text, 'the log entry', (json) => {
    const payload = required(json, 'Payload', asObject);
    const body = base64Of(required(payload, 'body', asString));
    const index = String(required(payload, 'logIndex', asCount));
    const kind = asObject(parseJson(body, { what: 'the body', maxBytes: LIMITS.bundleBytes }), 'body');
    return {
      logIndex: index,
      logId: { keyId: hexOf(required(payload, 'logID', asString)) },
      kindVersion: { kind: required(kind, 'kind', asString), version: required(kind, 'apiVersion', asString) },
      integratedTime: String(required(payload, 'integratedTime', asCount)),
      inclusionPromise: { signedEntryTimestamp: base64Of(required(json, 'SignedEntryTimestamp', asString)) },
      inclusionProof: undefined,
      canonicalizedBody: body,
    };
  });
}

function readTimestamp(text: string): Buffer {
  return read(text, 'the timestamp', (json) => base64Of(required(json, 'SignedRFC3161Timestamp', asString)));
}

function read<T>(text: string, what: string, take: (json: JsonObject) => T): T {
  try {
    return take(asObject(parseJson(text, { what, maxBytes: LIMITS.bundleBytes }), what));
  } catch (cause) {
    throw new Rejected('BUNDLE_MALFORMED', `${what} beside the signature cannot be read`, cause);
  }
}

/** Padded base64 of RFC 4648, section 4, and nothing else: Node reads on over what it does not know. */
export function base64Of(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') === text && text !== '') return bytes;
  throw new Rejected('BUNDLE_MALFORMED', 'what should be base64 is not');
}

function hexOf(text: string): Buffer {
  if (/^(?:[0-9a-f]{2})+$/.test(text)) return Buffer.from(text, 'hex');
  throw new Rejected('BUNDLE_MALFORMED', 'the ID of the log is not lower-case hex');
}
