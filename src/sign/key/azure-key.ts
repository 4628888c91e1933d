import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Context } from '../../base/context.ts';
import { asObject, asString, optional, required, ShapeError, type JsonObject } from '../../base/shape.ts';
import { findAzureToken } from './azure-token.ts';
import { callKeyService, invalidReference, isLoopback } from './key-service.ts';
import { remoteKey } from './remote-key.ts';
import { schemeOf } from './scheme.ts';
import type { SigningKey } from './signing-key.ts';

const API = 'api-version=7.4';

/**
 * Opens a key of Azure Key Vault (API 7.4): `azurekms://NAME.vault.azure.net/KEY`, with `/VERSION` for a certain one;
 * without, the current version, which stays the one that signs.
 *
 * @throws BoltsealError KEY_INVALID, KEY_SERVICE_FAILED, FILE_UNREADABLE, LIMIT_EXCEEDED, INTERRUPTED
 */
export async function openAzureKey(location: string, context: Context): Promise<SigningKey> {
  const what = `azurekms://${location}`;
  const [, host = '', name = '', version = ''] = /^([\w.:-]+)\/([\w-]+)(?:\/([a-z0-9]+)?)?$/.exec(location) ?? [];
  const vault = URL.parse(`https://${host}`);
  if (name === '' || vault === null) throw invalidReference(what, 'azurekms://NAME.vault.azure.net/KEY');
  if (isLoopback(vault.hostname)) vault.protocol = 'http:';
  const token = await findAzureToken(vault, context);
  const credentials = { headers: { authorization: `Bearer ${token}` }, secrets: [token] };
  const { path, publicKey } = await callKeyService(
    {
      ...credentials,
      what: `the public key of ${what}`,
      url: `${vault.origin}/keys/${name}${version === '' ? '' : `/${version}`}?${API}`,
      read: (answer) => readKey(required(answer, 'key', asObject), name),
    },
    context,
  );
  const { algorithm } = schemeOf(publicKey, what);
  return remoteKey({
    publicKey,
    what,
    signDigest: (digest, signContext) =>
      callKeyService(
        {
          headers: { ...credentials.headers, 'content-type': 'application/json' },
          secrets: credentials.secrets,
          what: `a signature by ${what}`,
          url: `${vault.origin}${path}/sign?${API}`,
          body: JSON.stringify({ alg: JWS_NAMES[algorithm], value: digest.toString('base64url') }),
          read: (answer) => toDer(Buffer.from(required(answer, 'value', asString), 'base64url'), publicKey),
        },
        signContext,
      ),
  });
}

/** RFC 7518, section 3.1. */
const JWS_NAMES: Readonly<Record<string, string>> = {
  'ecdsa-sha2-256-nistp256': 'ES256',
  'ecdsa-sha2-384-nistp384': 'ES384',
  'ecdsa-sha2-512-nistp521': 'ES512',
  'rsa-sign-pkcs1-2048-sha256': 'RS256',
  'rsa-sign-pkcs1-3072-sha256': 'RS256',
  'rsa-sign-pkcs1-4096-sha256': 'RS256',
};

/** Keys in an HSM have "-HSM" behind their type; they are the same to us. Only the key's own path is taken from its ID. */
function readKey(jwk: JsonObject, name: string): { readonly path: string; readonly publicKey: KeyObject } {
  const path = URL.parse(required(jwk, 'kid', asString, 'key'))?.pathname ?? '';
  if (!new RegExp(`^/keys/${name}/[a-z0-9]+$`, 'i').test(path))
    throw new ShapeError('key.kid should name a version of the key');
  const kty = required(jwk, 'kty', asString, 'key').replace(/-HSM$/, '');
  const parts = ['crv', 'x', 'y', 'n', 'e'].flatMap((part) => {
    const value = optional(jwk, part, asString, 'key');
    return value === undefined ? [] : [[part, value] as const];
  });
  try {
    return { path, publicKey: createPublicKey({ key: { kty, ...Object.fromEntries(parts) }, format: 'jwk' }) };
  } catch {
    throw new ShapeError('key should be a public key in the form of a JSON Web Key');
  }
}

/** ECDSA comes as r and s side by side (RFC 7518, section 3.4), and Sigstore has them in DER (RFC 3279, section 2.2.3). */
function toDer(signature: Buffer, publicKey: KeyObject): Buffer {
  if (publicKey.asymmetricKeyType !== 'ec') return signature;
  const half = signature.length / 2;
  if (!Number.isInteger(half) || half === 0 || half > 66) throw new ShapeError('value should be r and s, side by side');
  const content = Buffer.concat([derInteger(signature.subarray(0, half)), derInteger(signature.subarray(half))]);
  const length = content.length < 128 ? [content.length] : [0x81, content.length];
  return Buffer.concat([Uint8Array.of(0x30, ...length), content]);
}

function derInteger(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Buffer.alloc(1) : bytes.subarray(first);
  const padded = digits.readUInt8(0) < 0x80 ? digits : Buffer.concat([Buffer.alloc(1), digits]);
  return Buffer.concat([Uint8Array.of(0x02, padded.length), padded]);
}
