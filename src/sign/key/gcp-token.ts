import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { SignJWT } from 'jose';
import type { Context } from '../../base/context.ts';
import { BoltsealError, systemCodeOf } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { asObject, asString, optional, required, type JsonObject } from '../../base/shape.ts';
import { callKeyService, missingCredentials } from './key-service.ts';

const SCOPE = 'https://www.googleapis.com/auth/cloudkms';
const TOKEN_URL = 'https://oauth2.googleapis.com/token';
const LOGIN_HINT = 'Set CLOUDSDK_AUTH_ACCESS_TOKEN to what gcloud auth print-access-token prints.';

/**
 * An access token for Google Cloud: CLOUDSDK_AUTH_ACCESS_TOKEN, the credentials file that GOOGLE_APPLICATION_CREDENTIALS
 * names (of a service account, or of a person), or the metadata server of the machine.
 *
 * @throws BoltsealError KEY_SERVICE_FAILED, FILE_NOT_FOUND, FILE_UNREADABLE, JSON_INVALID, LIMIT_EXCEEDED, INTERRUPTED
 */
export async function findGcpToken(context: Context): Promise<string> {
  const { CLOUDSDK_AUTH_ACCESS_TOKEN: token = '', GOOGLE_APPLICATION_CREDENTIALS: path = '' } = context.env;
  if (token !== '') return token;
  return path === '' ? askMetadata(context) : exchange(await readCredentials(path), path, context);
}

async function askMetadata(context: Context): Promise<string> {
  const host = context.env['GCE_METADATA_HOST'] ?? 'metadata.google.internal';
  const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token`;
  const headers = { 'metadata-flavor': 'Google' };
  try {
    return await callKeyService(
      { what: 'an access token', url, headers, secrets: [], timeoutMs: LIMITS.metadataTimeoutMs, read: readToken },
      context,
    );
  } catch (cause) {
    if (context.signal.aborted) throw cause;
    throw new BoltsealError('KEY_SERVICE_FAILED', 'there are no credentials for Google Cloud', {
      hint: LOGIN_HINT,
      cause,
    });
  }
}

async function readCredentials(path: string): Promise<JsonObject> {
  try {
    const bytes = await readFile(path);
    return asObject(parseJson(bytes, { what: path, maxBytes: LIMITS.credentialFileBytes }), path);
  } catch (cause) {
    const code = systemCodeOf(cause);
    if (code === undefined) throw cause;
    throw new BoltsealError(
      code === 'ENOENT' ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE',
      `the credentials file ${path} that GOOGLE_APPLICATION_CREDENTIALS names cannot be read`,
      { hint: 'Check the variable, and the permissions of the file.', cause },
    );
  }
}

/** What each type of credentials file is exchanged for a token with. */
const GRANTS: Readonly<Record<string, (file: JsonObject, context: Context) => Promise<Grant>>> = {
  service_account: serviceAccountGrant,
  authorized_user: (file) => Promise.resolve(refreshGrant(file)),
};

interface Grant {
  readonly url: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

async function exchange(file: JsonObject, path: string, context: Context): Promise<string> {
  const type = optional(file, 'type', asString) ?? '';
  const grant = Object.hasOwn(GRANTS, type) ? GRANTS[type] : undefined;
  if (grant === undefined)
    throw missingCredentials(`Google Cloud that are used here: ${path} is of the type "${type}"`, LOGIN_HINT);
  const { url, parameters, secrets } = await grant(file, context);
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const body = new URLSearchParams(parameters).toString();
  return callKeyService({ what: 'an access token', url, headers, body, secrets, read: readToken }, context);
}

/** RFC 7523, section 2.1: a token signed with the account's key. */
async function serviceAccountGrant(file: JsonObject, context: Context): Promise<Grant> {
  const url = optional(file, 'token_uri', asString) ?? TOKEN_URL;
  const seconds = Math.floor(context.now().getTime() / 1000);
  const assertion = await new SignJWT({ scope: SCOPE })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: optional(file, 'private_key_id', asString) ?? '' })
    .setIssuer(required(file, 'client_email', asString))
    .setAudience(url)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + 600)
    .sign(createPrivateKey(required(file, 'private_key', asString)));
  return {
    url,
    parameters: { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion },
    secrets: [assertion],
  };
}

/** RFC 6749, section 6. */
function refreshGrant(file: JsonObject): Grant {
  const secret = required(file, 'client_secret', asString);
  const refresh = required(file, 'refresh_token', asString);
  return {
    url: TOKEN_URL,
    parameters: {
      grant_type: 'refresh_token',
      client_id: required(file, 'client_id', asString),
      client_secret: secret,
      refresh_token: refresh,
    },
    secrets: [secret, refresh],
  };
}

function readToken(answer: JsonObject): string {
  return required(answer, 'access_token', asString);
}
