import { addAbortSignal } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { HttpRequest, HttpResponse } from './http-message.ts';
import { isLoopbackHost } from './network-address.ts';
import { redirectTarget } from './redirect.ts';
import { transportError } from './transport-error.ts';

/** Certificates in PEM for one host. */
export interface TlsIdentity {
  readonly ca?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
  /** True: the other side may show any certificate. */
  readonly insecure?: boolean;
}

export interface HttpClient extends AsyncDisposable {
  /**
   * One request, redirects included, no retry. Any status is an answer.
   *
   * @throws BoltsealError REGISTRY_UNREACHABLE, REGISTRY_UNSAFE (a redirect that must not be followed), REGISTRY_ERROR, INTERRUPTED
   */
  send(request: HttpRequest): Promise<HttpResponse>;
}

export interface HttpOptions {
  /** The certificates for a host (`name:port`), or undefined for the system's. Never offered to another host. */
  readonly tlsFor?: (host: string) => TlsIdentity | undefined;
  /** A Unix socket that every request goes to, whatever host its address names. */
  readonly socketPath?: string;
  /** Until response headers, and between two pieces of a body. */
  readonly responseTimeoutMs?: number;
}

/** Connections for one run: kept alive, HTTP/2 where offered, one pool per TLS identity, proxies from the environment. */
export function openHttpClient(options: HttpOptions, context: Context): HttpClient {
  const dispatchers = new Map<string, Promise<Dispatcher>>();
  const dispatcherFor = (url: URL): Promise<Dispatcher> => {
    const tls = options.tlsFor?.(url.host);
    const proxied = options.socketPath === undefined && !isLoopbackHost(url.hostname);
    const key = JSON.stringify([proxied, tls]);
    const known = dispatchers.get(key) ?? makeDispatcher({ ...options, tls, proxied }, context);
    dispatchers.set(key, known);
    return known;
  };
  const once = (request: HttpRequest): Promise<HttpResponse> => sendOnce(request, dispatcherFor, context);
  return {
    send: (request) => sendFollowing(request, once),
    async [Symbol.asyncDispose]() {
      await Promise.allSettled([...dispatchers.values()].map(async (dispatcher) => (await dispatcher).destroy()));
    },
  };
}

interface Connecting {
  readonly tls: TlsIdentity | undefined;
  readonly proxied: boolean;
  readonly socketPath?: string;
  readonly responseTimeoutMs?: number;
}

/** Loopback is never proxied, as with Go's tools; for the rest the environment decides, NO_PROXY included. */
async function makeDispatcher(connecting: Connecting, { env }: Context): Promise<Dispatcher> {
  const { tls, proxied, socketPath, responseTimeoutMs = LIMITS.responseTimeoutMs } = connecting;
  // Loaded with the first request: commands that need no network start faster without it.
  const { Agent, EnvHttpProxyAgent } = await import('undici');
  const { ca, cert, key } = tls ?? {};
  const connect = {
    timeout: LIMITS.connectTimeoutMs,
    rejectUnauthorized: tls?.insecure !== true,
    preferH2: true,
    ...(ca === undefined ? {} : { ca: [...ca] }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(socketPath === undefined ? {} : { socketPath }),
  };
  const settings = {
    connections: LIMITS.connectionsPerHost,
    headersTimeout: responseTimeoutMs,
    bodyTimeout: responseTimeoutMs,
    connect,
  };
  if (!proxied) return new Agent(settings);
  return new EnvHttpProxyAgent({
    ...settings,
    requestTls: connect,
    httpProxy: env['http_proxy'] ?? env['HTTP_PROXY'] ?? '',
    httpsProxy: env['https_proxy'] ?? env['HTTPS_PROXY'] ?? '',
    noProxy: env['no_proxy'] ?? env['NO_PROXY'] ?? '',
  });
}

async function sendFollowing(
  request: HttpRequest,
  once: (request: HttpRequest) => Promise<HttpResponse>,
): Promise<HttpResponse> {
  let current = request;
  for (let hops = 0; ; hops += 1) {
    const response = await once(current);
    const next = redirectTarget(current, response);
    if (next === undefined) return response;
    await discardBody(response);
    if (hops >= LIMITS.redirects) {
      throw new BoltsealError('REGISTRY_ERROR', `${request.url.host} redirects more than ${LIMITS.redirects} times`, {
        hint: 'The registry sends the client in a circle. Tell whoever runs it.',
      });
    }
    current = next;
  }
}

async function sendOnce(
  request: HttpRequest,
  dispatcherFor: (url: URL) => Promise<Dispatcher>,
  context: Context,
): Promise<HttpResponse> {
  const { method, url, headers = {}, body } = request;
  const signal = request.signal === undefined ? context.signal : AbortSignal.any([request.signal, context.signal]);
  try {
    const { request: send } = await import('undici');
    // undici takes a connection back one turn of the event loop after its answer ended; asked earlier, it opens another.
    await nextTurn();
    const answer = await send(url, {
      method,
      headers: { 'user-agent': 'boltseal', ...headers },
      body: body?.() ?? null,
      dispatcher: await dispatcherFor(url),
      signal,
      // undici closes after a HEAD, lest a body that should not be there be the next answer. It also looks for such bytes
      // before it uses an idle connection, and closes only then: a new connection for every HEAD costs two or three round trips.
      ...(method === 'HEAD' ? { reset: false } : {}),
    });
    context.emit({ kind: 'detail', message: `${method} ${url.origin}${url.pathname} → ${answer.statusCode}` });
    return { status: answer.statusCode, headers: flatten(answer.headers), url, body: answer.body };
  } catch (cause) {
    throw transportError(cause, url, context);
  }
}

function flatten(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined
        ? []
        : [[name.toLowerCase(), typeof value === 'string' ? value : value.join(', ')] satisfies [string, string]],
    ),
  );
}

/** The whole body of a document, not of a blob. @throws BoltsealError LIMIT_EXCEEDED, REGISTRY_UNREACHABLE (cut short), INTERRUPTED */
export async function readBody(response: HttpResponse, maxBytes: number, context: Context): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    // A server that sends a byte now and then would never run into the timeout between two pieces.
    addAbortSignal(AbortSignal.timeout(LIMITS.documentTimeoutMs), response.body);
    for await (const piece of response.body as AsyncIterable<Uint8Array>) {
      sizeBytes += piece.length;
      if (sizeBytes > maxBytes) break;
      pieces.push(piece);
    }
  } catch (cause) {
    throw transportError(cause, response.url, context);
  }
  if (sizeBytes <= maxBytes) return Buffer.concat(pieces);
  throw new BoltsealError('LIMIT_EXCEEDED', `the answer of ${response.url.host} is more than ${maxBytes} bytes`, {
    hint: 'A document of this size is refused, because nobody needs one. Check what the reference names.',
  });
}

/** Lets the connection be used again when little is left, and closes it when much is. */
export async function discardBody(response: HttpResponse): Promise<void> {
  let sizeBytes = 0;
  try {
    for await (const piece of response.body as AsyncIterable<Uint8Array>) {
      sizeBytes += piece.length;
      if (sizeBytes > LIMITS.errorBodyBytes) break;
    }
  } catch {
    // Nobody wants this body; that it broke off changes nothing.
  }
}
