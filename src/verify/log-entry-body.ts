import { createPublicKey, X509Certificate } from 'node:crypto';
import type { TransparencyLogEntry } from '@sigstore/bundle';
import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { asArray, asObject, asString, optional, required, type JsonObject } from '../base/shape.ts';
import { Rejected } from './rejection.ts';

/** The certificate or key that a log entry says made the signature, as DER. */
export type LoggedVerifier =
  { readonly kind: 'certificate'; readonly der: Buffer } | { readonly kind: 'key'; readonly spki: Buffer };

/** Where each kind and version of entry names its verifier: Rekor's entry types, and rekor-tiles for 0.0.2. */
const READERS: Readonly<Record<string, (spec: JsonObject) => LoggedVerifier>> = {
  'hashedrekord 0.0.1': (spec) =>
    fromPem(required(required(required(spec, 'signature', asObject), 'publicKey', asObject), 'content', asString)),
  'dsse 0.0.1': (spec) => fromPem(required(onlyOf(required(spec, 'signatures', asArray)), 'verifier', asString)),
  'intoto 0.0.2': (spec) => {
    const envelope = required(required(spec, 'content', asObject), 'envelope', asObject);
    return fromPem(required(onlyOf(required(envelope, 'signatures', asArray)), 'publicKey', asString));
  },
  'hashedrekord 0.0.2': (spec) =>
    fromMessage(required(required(spec, 'hashedRekordV002', asObject), 'signature', asObject)),
  'dsse 0.0.2': (spec) => fromMessage(onlyOf(required(required(spec, 'dsseV002', asObject), 'signatures', asArray))),
};

/**
 * The certificate (or key) inside the log entry must be the bundle's. The library compares signature and digest only, so
 * that an entry naming another identity would pass, and whoever watches the log would see that other identity.
 * Sigstore client specification, 4.4 step 2.
 *
 * @throws Rejected LOG_ENTRY_MISMATCH, LOG_ENTRY_INVALID
 */
export function checkLoggedVerifier(entry: TransparencyLogEntry, expected: LoggedVerifier): void {
  const found = readVerifier(entry);
  const same =
    found.kind === 'certificate'
      ? expected.kind === 'certificate' && found.der.equals(expected.der)
      : expected.kind === 'key' && found.spki.equals(expected.spki);
  if (!same)
    throw new Rejected('LOG_ENTRY_MISMATCH', `the log entry names another ${found.kind} than the one that signed`);
}

function readVerifier({ kindVersion, canonicalizedBody }: TransparencyLogEntry): LoggedVerifier {
  const name = `${kindVersion.kind} ${kindVersion.version}`;
  const read = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
  if (read === undefined) throw new Rejected('LOG_ENTRY_INVALID', `log entries of the kind "${name}" are not known`);
  try {
    const body = asObject(
      parseJson(canonicalizedBody, { what: 'the log entry', maxBytes: LIMITS.bundleBytes }),
      'body',
    );
    return read(required(body, 'spec', asObject));
  } catch (cause) {
    throw new Rejected('LOG_ENTRY_INVALID', 'the log entry cannot be read', cause);
  }
}

function fromPem(base64: string): LoggedVerifier {
  const pem = Buffer.from(base64, 'base64').toString('latin1');
  if (pem.includes('BEGIN CERTIFICATE')) return { kind: 'certificate', der: new X509Certificate(pem).raw };
  return { kind: 'key', spki: createPublicKey(pem).export({ format: 'der', type: 'spki' }) };
}

function fromMessage(signature: JsonObject): LoggedVerifier {
  const verifier = required(signature, 'verifier', asObject);
  const certificate = optional(verifier, 'x509Certificate', asObject);
  if (certificate !== undefined) return { kind: 'certificate', der: bytesOf(certificate) };
  return { kind: 'key', spki: bytesOf(required(verifier, 'publicKey', asObject)) };
}

function bytesOf(object: JsonObject): Buffer {
  return Buffer.from(required(object, 'rawBytes', asString), 'base64');
}

function onlyOf(list: readonly unknown[]): JsonObject {
  if (list.length !== 1) throw new Error(`${list.length} signatures where there should be one`);
  return asObject(list[0], 'signatures[0]');
}
