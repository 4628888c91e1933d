import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BoltsealError, systemCodeOf } from '../../base/errors.ts';
import { isLoopback } from '../secure-url.ts';
import { answerPage, type Outcome } from './answer-page.ts';

/** The browser's return from the issuer. */
export interface Redirect {
  /** With the issuer's parameters in the query. */
  readonly url: URL;
  /** Tells the person in the browser how it went. */
  readonly answer: (outcome: Outcome) => Promise<void>;
}

export interface RedirectListener extends AsyncDisposable {
  /** What to name as redirect URI. */
  readonly url: URL;
  /** The first return; any further one is refused. */
  readonly redirect: Promise<Redirect>;
}

/** The path every Sigstore client uses, so that a registration made for one serves all. */
const DEFAULT_REDIRECT_URL = 'http://127.0.0.1:0/auth/callback';
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * Waits on the loopback interface for one redirect (RFC 8252, sections 7.3 and 8.3).
 *
 * @throws BoltsealError USAGE when the URL is not http on this machine, or its port is taken
 */
export async function listenForRedirect(redirectUrl = DEFAULT_REDIRECT_URL): Promise<RedirectListener> {
  const url = URL.parse(redirectUrl);
  if (url === null || url.protocol !== 'http:' || !isLoopback(url.hostname) || url.search + url.hash !== '')
    throw new BoltsealError('USAGE', `the redirect URL ${redirectUrl} is not plain http on this machine`, {
      hint: `Write it as ${DEFAULT_REDIRECT_URL}; port 0 is any free one.`,
    });
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: 10_000 });
  const arrived = Promise.withResolvers<Redirect>();
  await listen(server, url);
  url.port = String((server.address() as AddressInfo).port);
  let isUsed = false;
  server.on('request', (request, response) => {
    const returned = readReturn(request, url);
    if (returned === undefined) return void send(response, 404, 'not-here');
    if (isUsed) return void send(response, 410, 'used');
    isUsed = true;
    arrived.resolve({ url: returned, answer: (outcome) => send(response, outcome === 'failed' ? 400 : 200, outcome) });
  });
  return { url, redirect: arrived.promise, [Symbol.asyncDispose]: () => close(server) };
}

async function listen(server: Server, url: URL): Promise<void> {
  const host = url.hostname === 'localhost' ? '127.0.0.1' : url.hostname.replaceAll(/[[\]]/g, '');
  try {
    await once(server.listen(Number(url.port), host), 'listening');
  } catch (cause) {
    const reason = systemCodeOf(cause) === 'EADDRINUSE' ? 'something else uses this port' : 'it cannot be listened on';
    throw new BoltsealError('USAGE', `the redirect URL ${url.href} does not work: ${reason}`, {
      hint: 'Choose another with --oidc-redirect-url, or let the system choose with port 0.',
      cause,
    });
  }
}

/** Only what the issuer's page can cause: a GET of our path, under our own name, with an answer in it. */
function readReturn(request: IncomingMessage, expected: URL): URL | undefined {
  const url = URL.parse(request.url ?? '', expected.href);
  const isOurs = request.method === 'GET' && request.headers.host === expected.host && url?.origin === expected.origin;
  if (url === null || !isOurs || url.pathname !== expected.pathname) return undefined;
  return url.searchParams.has('code') || url.searchParams.has('error') ? url : undefined;
}

/** Resolves when the page is out, or when the browser is gone: that changes nothing. */
async function send(response: ServerResponse, status: number, outcome: Outcome): Promise<void> {
  if (response.destroyed) return;
  const { headers, body } = answerPage(outcome);
  const closed = once(response, 'close');
  response.on('error', () => undefined);
  response.writeHead(status, headers).end(body);
  await closed;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
