import type { Context } from '../../base/context.ts';
import { BoltsealError, isBoltsealError } from '../../base/errors.ts';
import { discardBody } from '../http.ts';
import type { HttpResponse } from '../http-message.ts';
import { chooseChallenge } from './authorizer.ts';
import type { Challenge } from './challenge.ts';
import { basicHeader, type BasicCredential } from './credential.ts';
import { registryOrigin } from './endpoint.ts';
import type { RegistryOptions } from './registry.ts';
import { responseError } from './response-error.ts';
import { withRetries } from './retry.ts';
import { openRegistrySession, type RegistrySession } from './session.ts';
import { fetchToken } from './token.ts';

interface Login {
  readonly host: string;
  readonly credential: BasicCredential;
  readonly options: RegistryOptions;
}

/**
 * Asks a registry whether it takes a user name and password: `GET /v2/` (distribution-spec 1.1.1, "Determining Support"),
 * and a token without a scope where the registry wants tokens. False means that it lets everybody in here, so nothing was
 * found out.
 *
 * @throws BoltsealError REGISTRY_UNAUTHORIZED (rejected), REGISTRY_UNSAFE, REGISTRY_UNREACHABLE, REGISTRY_ERROR …
 */
export async function checkLogin({ host, credential, options }: Login, context: Context): Promise<boolean> {
  await using session = openRegistrySession(options, context);
  const origin = registryOrigin(host, options.plainHttp);
  if (options.tls !== undefined) session.tls.use(origin, options.tls);
  const basic = basicHeader(credential.username, credential.password);
  const bare = await knock({ session, origin }, undefined, context);
  const challenge = bare.status === 401 ? chooseChallenge(bare.headers['www-authenticate'] ?? '') : undefined;
  if (bare.status !== 401) {
    if (bare.status !== 200) throw await unexpected(bare, host, context);
    await discardBody(bare);
  }
  const authorization =
    challenge?.scheme === 'bearer' ? await bearer({ challenge, origin, credential, session }, context) : basic;
  const answer = await knock({ session, origin }, authorization, context);
  if (answer.status === 401) throw rejected(host);
  if (answer.status !== 200) throw await unexpected(answer, host, context);
  await discardBody(answer);
  return bare.status === 401;
}

interface Door {
  readonly session: RegistrySession;
  readonly origin: URL;
}

function knock({ session, origin }: Door, authorization: string | undefined, context: Context): Promise<HttpResponse> {
  const headers = authorization === undefined ? {} : { authorization };
  const send = (): Promise<HttpResponse> =>
    session.http.send({ method: 'GET', url: new URL('/v2/', origin), headers, redirect: 'same-origin' });
  return withRetries(send, discardBody, context);
}

interface Asked extends Door {
  readonly challenge: Challenge;
  readonly credential: BasicCredential;
}

async function bearer({ challenge, origin, credential, session }: Asked, context: Context): Promise<string> {
  const { realm = '', service } = challenge.parameters;
  const request = { registry: origin, realm, scopes: [], credential, ...(service === undefined ? {} : { service }) };
  try {
    return `Bearer ${(await fetchToken(request, session.http, context)).token}`;
  } catch (error) {
    if (isBoltsealError(error, 'REGISTRY_UNAUTHORIZED')) throw rejected(origin.host, error);
    throw error;
  }
}

function rejected(host: string, cause?: unknown): BoltsealError {
  return new BoltsealError('REGISTRY_UNAUTHORIZED', `${host} does not accept this user name and password`, {
    hint: 'Nothing was stored. Check both; many registries want an access token in place of the password.',
    ...(cause === undefined ? {} : { cause }),
  });
}

function unexpected(response: HttpResponse, host: string, context: Context): Promise<BoltsealError> {
  return responseError(response, { doing: 'checking the login', host }, context);
}
