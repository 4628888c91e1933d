import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { asCount, asObject, asString, optional } from '../../base/shape.ts';
import { discardBody, readBody, type HttpClient } from '../http.ts';
import type { HttpRequest, HttpResponse } from '../http-message.ts';
import { isLoopbackHost, isPrivateHost } from '../network-address.ts';
import { basicHeader, type Credential } from './credential.ts';
import { responseError } from './response-error.ts';
import { withRetries } from './retry.ts';

export interface TokenRequest {
  /** The registry that named the realm. */
  readonly registry: URL;
  readonly realm: string;
  readonly service?: string;
  /** Most wanted first. */
  readonly scopes: readonly string[];
  readonly credential: Credential | undefined;
}

export interface Token {
  readonly token: string;
  /** Milliseconds since the epoch by our own clock. */
  readonly expiresAtMs: number;
}

/** Seconds a token lives when its server does not say: distribution's token specification. */
const DEFAULT_LIFE_S = 60;
/** Taken off, so that a token does not expire on its way; of a token that lives shortly, half its life at most. */
const MARGIN_S = 10;
const CLIENT_ID = 'boltseal';

/**
 * A bearer token from the server a registry's challenge names (distribution token specification, and its OAuth2 form for
 * refresh tokens). The realm is the registry's word: it is checked before a credential goes there, and it cannot redirect.
 *
 * @throws BoltsealError REGISTRY_UNAUTHORIZED, REGISTRY_UNSAFE and the transport's own codes
 */
export async function fetchToken(request: TokenRequest, http: HttpClient, context: Context): Promise<Token> {
  const realm = checkRealm(request.realm, request.registry);
  const ask = (question: HttpRequest): Promise<HttpResponse> =>
    withRetries(
      () => http.send({ ...question, redirect: 'refuse', signal: AbortSignal.timeout(LIMITS.tokenTimeoutMs) }),
      discardBody,
      context,
    );
  let response = await ask(tokenHttpRequest(request, realm));
  if (request.credential?.kind === 'identity-token' && HAS_NO_OAUTH2.has(response.status)) {
    await discardBody(response);
    const { username = '', token: password } = request.credential;
    response = await ask(tokenHttpRequest({ ...request, credential: { kind: 'basic', username, password } }, realm));
  }
  if (response.status !== 200) throw await refused(response, request.registry.host, context);
  return readToken(await readBody(response, LIMITS.tokenResponseBytes, context), realm.host, context);
}

/** Token servers without the OAuth2 form answer 404 or 405 to its POST, and some 401: they take the same secret as a password. */
const HAS_NO_OAUTH2: ReadonlySet<number> = new Set([401, 404, 405]);

function tokenHttpRequest({ service, scopes, credential }: TokenRequest, realm: URL): HttpRequest {
  if (credential?.kind === 'identity-token') {
    const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: CLIENT_ID });
    if (service !== undefined) form.set('service', service);
    if (scopes.length > 0) form.set('scope', scopes.join(' '));
    form.set('refresh_token', credential.token);
    const body = Buffer.from(form.toString());
    return {
      method: 'POST',
      url: realm,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: () => body,
    };
  }
  const url = new URL(realm.href);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  const authorization =
    credential?.kind === 'basic' ? { authorization: basicHeader(credential.username, credential.password) } : {};
  return { method: 'GET', url, headers: authorization };
}

/** @throws BoltsealError REGISTRY_UNSAFE */
function checkRealm(text: string, registry: URL): URL {
  const realm = URL.parse(text);
  const why = realm === null ? 'it is not an address' : realmProblem(realm, registry);
  if (realm !== null && why === undefined) return realm;
  throw new BoltsealError('REGISTRY_UNSAFE', `${registry.host} asks to log in at a place that is refused: ${why}`, {
    hint: 'An attacker could collect passwords this way. If the registry is yours, correct the realm of its token service.',
  });
}

function realmProblem(realm: URL, registry: URL): string | undefined {
  const name = `${realm.protocol}//${realm.host}`;
  const bothHere = isLoopbackHost(realm.hostname) && isLoopbackHost(registry.hostname);
  const sameHost = realm.hostname === registry.hostname || bothHere;
  if (realm.username !== '' || realm.password !== '') return `${name} has a user name in it`;
  if (realm.protocol !== 'https:' && realm.protocol !== 'http:') return `${name} is not HTTP`;
  if (realm.protocol === 'http:' && registry.protocol === 'https:') return `${name} is not protected by TLS`;
  if (realm.protocol === 'http:' && isLoopbackHost(registry.hostname) && !bothHere)
    return `${name} is not protected by TLS`;
  if (isPrivateHost(realm.hostname) && !sameHost) return `${name} is in a private network`;
  return undefined;
}

async function refused(response: HttpResponse, host: string, context: Context): Promise<BoltsealError> {
  const error = await responseError(
    response,
    { doing: `giving out a token for ${host}`, host: response.url.host },
    context,
  );
  if (![400, 401, 403, 404].includes(response.status)) return error;
  return new BoltsealError('REGISTRY_UNAUTHORIZED', error.message, {
    hint: `Log in again with "boltseal login ${host}" or "docker login ${host}": the stored credentials are not accepted.`,
  });
}

function readToken(bytes: Uint8Array, host: string, context: Context): Token {
  try {
    const answer = asObject(parseJson(bytes, { what: 'token', maxBytes: LIMITS.tokenResponseBytes }), 'token');
    const token = optional(answer, 'token', asString) || optional(answer, 'access_token', asString);
    if (token === undefined || !/^[\x21-\x7e]+$/.test(token)) throw new Error('no token');
    const lifeS = optional(answer, 'expires_in', asCount) ?? DEFAULT_LIFE_S;
    const usableMs = (lifeS - Math.min(MARGIN_S, lifeS / 2)) * 1000;
    return { token, expiresAtMs: issuedAtMs(optional(answer, 'issued_at', asString), context) + usableMs };
  } catch {
    // No cause: it would quote the token.
    throw new BoltsealError('REGISTRY_ERROR', `the token service ${host} did not answer with a token`, {
      hint: 'The token service of the registry is broken or misconfigured. Tell whoever runs it.',
    });
  }
}

/** A server may hand out a token it made earlier; one whose clock is ahead of ours does not make it live longer. */
function issuedAtMs(issuedAt: string | undefined, context: Context): number {
  const nowMs = context.now().getTime();
  const issuedMs = issuedAt === undefined ? NaN : Date.parse(issuedAt);
  return Number.isNaN(issuedMs) ? nowMs : Math.min(issuedMs, nowMs);
}
