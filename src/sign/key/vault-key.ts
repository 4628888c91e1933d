import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../base/context.ts';
import { BoltsealError, systemCodeOf } from '../../base/errors.ts';
import { asCount, asObject, asString, required, ShapeError, type JsonObject } from '../../base/shape.ts';
import { callKeyService, invalidReference, missingCredentials } from './key-service.ts';
import { readServiceKey, remoteKey } from './remote-key.ts';
import type { SignatureScheme } from './scheme.ts';
import { schemeOf } from './scheme.ts';
import type { SigningKey } from './signing-key.ts';

/**
 * Opens a key of the transit engine of HashiCorp Vault or OpenBao (API v1), at its latest version, which stays the one that
 * signs even when the key is rotated meanwhile. Address, token, namespace and engine are from VAULT_ADDR, VAULT_TOKEN (or
 * ~/.vault-token), VAULT_NAMESPACE and TRANSIT_SECRET_ENGINE_PATH, as for cosign; BAO_ names are read too.
 *
 * @throws BoltsealError KEY_INVALID, KEY_SERVICE_FAILED, LIMIT_EXCEEDED, INTERRUPTED
 */
export async function openVaultKey(name: string, context: Context): Promise<SigningKey> {
  const what = `hashivault://${name}`;
  if (!/^\w(?:[\w.-]*\w)?$/.test(name)) throw invalidReference(what, 'hashivault://KEY');
  const engine = await openEngine(context);
  const { version, pem } = await callKeyService(
    { what: `the public key of ${what}`, url: `${engine.url}/keys/${name}`, ...engine.access, read: readLatestKey },
    context,
  );
  const publicKey = readServiceKey(pem, what);
  const scheme = schemeOf(publicKey, what);
  return remoteKey({
    publicKey,
    what,
    signDigest: (digest, signContext) =>
      callKeyService(
        {
          what: `a signature by ${what}`,
          url: `${engine.url}/sign/${name}`,
          ...engine.access,
          body: JSON.stringify(signRequest(digest, version, scheme)),
          read: readSignature,
        },
        signContext,
      ),
  });
}

interface Engine {
  readonly url: string;
  readonly access: { readonly headers: Readonly<Record<string, string>>; readonly secrets: readonly string[] };
}

async function openEngine(context: Context): Promise<Engine> {
  const setting = (name: string): string | undefined =>
    [context.env[`VAULT_${name}`], context.env[`BAO_${name}`]].find((value) => value !== undefined && value !== '');
  const address = setting('ADDR');
  if (address === undefined)
    throw new BoltsealError('KEY_SERVICE_FAILED', 'it is not known where Vault is', { hint: 'Set VAULT_ADDR.' });
  const token = setting('TOKEN') ?? (await readTokenFile(context));
  const namespace = setting('NAMESPACE');
  const mount = (context.env['TRANSIT_SECRET_ENGINE_PATH'] ?? 'transit').replaceAll(/^\/+|\/+$/g, '');
  return {
    url: `${address.replace(/\/+$/, '')}/v1/${mount.split('/').map(encodeURIComponent).join('/')}`,
    access: {
      headers: {
        'x-vault-token': token,
        'x-vault-request': 'true',
        ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
      },
      secrets: [token],
    },
  };
}

async function readTokenFile({ env }: Context): Promise<string> {
  const missing = (): BoltsealError =>
    missingCredentials(
      'Vault',
      'Set VAULT_TOKEN, or log in with vault login, which keeps the token in ~/.vault-token.',
    );
  if (env['HOME'] === undefined) throw missing();
  try {
    return (await readFile(join(env['HOME'], '.vault-token'), 'utf8')).trim();
  } catch (error) {
    throw systemCodeOf(error) === undefined ? error : missing();
  }
}

function readLatestKey(answer: JsonObject): { readonly version: number; readonly pem: string } {
  const data = required(answer, 'data', asObject);
  const version = required(data, 'latest_version', asCount, 'data');
  const latest = required(required(data, 'keys', asObject, 'data'), String(version), asObject, 'data.keys');
  return { version, pem: required(latest, 'public_key', asString, `data.keys.${version}`) };
}

/** Vault API, secret/transit#sign-data. */
function signRequest(digest: Buffer, version: number, { hash }: SignatureScheme): object {
  return {
    input: digest.toString('base64'),
    prehashed: true,
    key_version: version,
    hash_algorithm: hash?.replace('sha', 'sha2-'),
    signature_algorithm: 'pkcs1v15',
    marshaling_algorithm: 'asn1',
  };
}

function readSignature(answer: JsonObject): Buffer {
  const text = required(required(answer, 'data', asObject), 'signature', asString, 'data');
  const [, signature] = /^vault:v\d+:([A-Za-z0-9+/=]+)$/.exec(text) ?? [];
  if (signature === undefined) throw new ShapeError('data.signature should begin with vault:v and a version');
  return Buffer.from(signature, 'base64');
}
