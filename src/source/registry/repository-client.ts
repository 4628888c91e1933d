import type { Readable } from 'node:stream';
import type { Context } from '../../base/context.ts';
import { discardBody } from '../http.ts';
import type { HttpRequest, HttpResponse, RedirectMode } from '../http-message.ts';
import { createAuthorizer } from './authorizer.ts';
import type { Credential } from './credential.ts';
import { responseError } from './response-error.ts';
import { withRetries } from './retry.ts';
import type { Access } from './scope.ts';
import type { RegistrySession } from './session.ts';

export interface RegistryRequest {
  readonly method: HttpRequest['method'];
  /** Below `/v2/<repository>/`, or a whole address that the registry gave. */
  readonly path: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: () => Readable | Uint8Array;
  readonly access: Access;
  readonly redirect?: RedirectMode;
  /** True for what must not be sent again as it is: no retries, and every status is an answer. */
  readonly raw?: boolean;
  /** For messages: `reading the manifest …`. */
  readonly doing: string;
}

/** Requests to one repository, with authorization and retries. */
export interface RepositoryClient {
  readonly host: string;
  readonly repository: string;
  readonly origin: URL;
  /**
   * Answers with any status except those that mean the same everywhere, which throw: 401, 403, 429 and 5xx (after retries,
   * and except 501, "I cannot do this").
   *
   * @throws BoltsealError REGISTRY_UNAUTHORIZED, REGISTRY_DENIED, REGISTRY_RATE_LIMITED, REGISTRY_ERROR, REGISTRY_UNREACHABLE …
   */
  send(request: RegistryRequest): Promise<HttpResponse>;
  /** An answer that the caller did not expect, as an error. Reads the body. */
  failure(response: HttpResponse, doing: string): Promise<Error>;
}

interface Target {
  readonly host: string;
  readonly repository: string;
  readonly origin: URL;
  readonly credential: Credential | undefined;
}

export function createRepositoryClient(target: Target, session: RegistrySession, context: Context): RepositoryClient {
  const { host, repository, origin } = target;
  const authorizer = createAuthorizer(target, session);
  const failure = (response: HttpResponse, doing: string): Promise<Error> =>
    responseError(response, { doing, host: response.url.host === origin.host ? host : response.url.host }, context);

  const sendOnce = async (request: RegistryRequest, url: URL): Promise<HttpResponse> => {
    // Another origin is another party: it gets no credentials, and its 401 is not a challenge.
    if (url.origin !== origin.origin) return session.http.send(httpRequest(request, url));
    let authorization = await authorizer.authorize(request.access);
    for (let tries = 0; ; tries += 1) {
      const response = await session.http.send(httpRequest(request, url, authorization));
      const isChallenge = response.status === 401 && response.url.origin === origin.origin;
      if (!isChallenge || tries >= REAUTHORIZATIONS) return response;
      const header = response.headers['www-authenticate'] ?? '';
      const better = await authorizer.reauthorize(request.access, header, authorization);
      if (better === undefined) return response;
      await discardBody(response);
      authorization = better;
    }
  };

  const sendRequest = async (request: RegistryRequest): Promise<HttpResponse> => {
    const url = typeof request.path === 'string' ? new URL(`/v2/${repository}/${request.path}`, origin) : request.path;
    const attempt = (): Promise<HttpResponse> => sendOnce(request, url);
    const send = (): Promise<HttpResponse> =>
      request.raw === true ? attempt() : withRetries(attempt, discardBody, context);
    const response = await (url.origin === origin.origin ? afterFirstContact(session, url.origin, send) : send());
    const warning = response.headers['warning'];
    if (warning !== undefined) session.warn(host, warning);
    if (request.raw !== true && meansFailure(response.status)) throw await failure(response, request.doing);
    return response;
  };
  return { host, repository, origin, send: sendRequest, failure };
}

/** The token for pushing, which also pulls, and the one for pulling may both be held and both no longer be taken. */
const REAUTHORIZATIONS = 2;

function meansFailure(status: number): boolean {
  return status === 401 || status === 403 || status === 429 || (status >= 500 && status !== 501);
}

function httpRequest(request: RegistryRequest, url: URL, authorization?: string): HttpRequest {
  const { method, headers, body, redirect } = request;
  return {
    method,
    url,
    headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
    ...(body === undefined ? {} : { body }),
    ...(redirect === undefined ? {} : { redirect }),
  };
}

/** Lets the first request to an origin go alone; the others then know what it learnt. */
async function afterFirstContact(
  { contacts }: RegistrySession,
  origin: string,
  send: () => Promise<HttpResponse>,
): Promise<HttpResponse> {
  const contact = contacts.get(origin);
  if (contact !== undefined) {
    await contact;
    return send();
  }
  const first = send();
  contacts.set(
    origin,
    first.then(
      () => undefined,
      () => {
        contacts.delete(origin);
      },
    ),
  );
  return first;
}
