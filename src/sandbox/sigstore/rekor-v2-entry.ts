import { createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import { json as jsonLib } from '@sigstore/core';
import { parseJson } from '../../base/json.ts';
import { asObject, asString, optional, required, type JsonObject } from '../../base/shape.ts';
import { verifiesDigest } from './digest-signature.ts';

export const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

interface Kind {
  readonly fits: (key: KeyObject) => boolean;
  readonly algorithm: 'SHA2_256' | 'SHA2_384' | 'SHA2_512';
  readonly digestBytes: number;
}

/** Key details the log takes (rekor-tiles 2.3, internal/algorithmregistry), but for Ed25519ph. */
const KINDS: Readonly<Record<string, Kind>> = {
  PKIX_ECDSA_P256_SHA_256: { fits: onCurve('prime256v1'), algorithm: 'SHA2_256', digestBytes: 32 },
  PKIX_ECDSA_P384_SHA_384: { fits: onCurve('secp384r1'), algorithm: 'SHA2_384', digestBytes: 48 },
  PKIX_ECDSA_P521_SHA_512: { fits: onCurve('secp521r1'), algorithm: 'SHA2_512', digestBytes: 64 },
  PKIX_RSA_PKCS1V15_2048_SHA256: { fits: ofBits(2048), algorithm: 'SHA2_256', digestBytes: 32 },
  PKIX_RSA_PKCS1V15_3072_SHA256: { fits: ofBits(3072), algorithm: 'SHA2_256', digestBytes: 32 },
  PKIX_RSA_PKCS1V15_4096_SHA256: { fits: ofBits(4096), algorithm: 'SHA2_256', digestBytes: 32 },
};

/**
 * The canonical body of a hashedrekord 0.0.2 entry for a request (rekor-tiles 2.3, api/proto/rekor/v2), once its signature
 * has been checked. The `dsse` kind is gone from the log: an envelope is logged by the digest of what its signature covers.
 *
 * @throws Error saying what is wrong with the request
 */
export function canonicalBody(request: Uint8Array): Buffer {
  const what = 'the request';
  const object = asObject(parseJson(request, { what, maxBytes: MAX_REQUEST_BYTES }), what);
  const extra = Object.keys(object).filter((key) => key !== 'hashedRekordRequestV002');
  if (extra.length > 0) throw new Error(`unknown field "${extra.join('", "')}"`);
  const asked = required(object, 'hashedRekordRequestV002', asObject);
  const digest = decode(required(asked, 'digest', asString));
  const signature = required(asked, 'signature', asObject);
  const content = decode(required(signature, 'content', asString));
  const verifier = required(signature, 'verifier', asObject);
  const keyDetails = required(verifier, 'keyDetails', asString);
  const { key, stored } = readVerifier(verifier);
  const kind = Object.hasOwn(KINDS, keyDetails) ? KINDS[keyDetails] : undefined;
  if (kind?.fits(key) !== true) throw new Error(`the key is not of the kind ${keyDetails}, or that is not supported`);
  if (digest.length !== kind.digestBytes) throw new Error(`the digest should be ${kind.digestBytes} bytes`);
  if (!verifiesDigest(key, digest, content)) throw new Error('verifying signature: invalid signature');
  const hashedRekordV002 = {
    data: { algorithm: kind.algorithm, digest: digest.toString('base64') },
    signature: { content: content.toString('base64'), verifier: { keyDetails, ...stored } },
  };
  return Buffer.from(jsonLib.canonicalize({ apiVersion: '0.0.2', kind: 'hashedrekord', spec: { hashedRekordV002 } }));
}

function onCurve(name: string): Kind['fits'] {
  return (key) => key.asymmetricKeyDetails?.namedCurve === name;
}

function ofBits(bits: number): Kind['fits'] {
  return (key) => key.asymmetricKeyDetails?.modulusLength === bits;
}

function readVerifier(verifier: JsonObject): { readonly key: KeyObject; readonly stored: object } {
  const certificate = optional(verifier, 'x509Certificate', asObject);
  const publicKey = optional(verifier, 'publicKey', asObject);
  if ((certificate === undefined) === (publicKey === undefined))
    throw new Error('the verifier should be either a certificate or a public key');
  if (certificate !== undefined) {
    const der = decode(required(certificate, 'rawBytes', asString));
    return {
      key: new X509Certificate(der).publicKey,
      stored: { x509Certificate: { rawBytes: der.toString('base64') } },
    };
  }
  const der = decode(required(publicKey ?? {}, 'rawBytes', asString));
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  return { key, stored: { publicKey: { rawBytes: der.toString('base64') } } };
}

function decode(base64: string): Buffer {
  return Buffer.from(base64, 'base64');
}
