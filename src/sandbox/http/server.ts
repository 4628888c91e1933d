import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Context } from '../../base/context.ts';
import { BoltsealError, messageOf, systemCodeOf } from '../../base/errors.ts';
import { json, ReplyError, type Route, type SandboxReply, type SandboxRequest } from './message.ts';

/** A service of the sandbox that listens on loopback until it is disposed of. */
export interface Service extends AsyncDisposable {
  readonly name: string;
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  /** `127.0.0.1:PORT` */
  readonly host: string;
}

interface ServeOptions {
  readonly name: string;
  /** 0 for any free one. */
  readonly port: number;
  /** The service's table of routes, made when its address is known. First match answers. */
  readonly routes: (url: string) => readonly Route[] | Promise<readonly Route[]>;
  /** Sees every request first; `next` gives what the routes answer. */
  readonly around?: (
    request: SandboxRequest,
    next: () => Promise<SandboxReply>,
  ) => Promise<SandboxReply> | SandboxReply;
}

/**
 * Starts a service on 127.0.0.1.
 *
 * @throws BoltsealError SANDBOX_UNAVAILABLE when the port is taken
 */
export async function serve(options: ServeOptions, context: Context): Promise<Service> {
  const server = createServer();
  await listen(server, options);
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = `http://${host}`;
  const routes = await options.routes(url);
  const hosts = new Set([host, host.replace('127.0.0.1', 'localhost')]);
  server.on('request', (incoming, outgoing) => {
    void handle(incoming, outgoing, { ...options, routes, hosts, url }, context);
  });
  return { name: options.name, url, host, [Symbol.asyncDispose]: () => close(server) };
}

async function listen(server: Server, { name, port }: ServeOptions): Promise<void> {
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch (cause) {
    throw new BoltsealError('SANDBOX_UNAVAILABLE', `the sandbox's ${name} cannot listen on 127.0.0.1:${port}`, {
      hint:
        systemCodeOf(cause) === 'EADDRINUSE'
          ? 'Something else uses this port; choose another, or leave it out to get a free one.'
          : 'Check that programs may listen on the loopback interface here.',
      cause,
    });
  }
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

interface Served {
  readonly name: string;
  readonly routes: readonly Route[];
  /** Values of the Host header that are ours: a web page that resolved its own name to 127.0.0.1 has another. */
  readonly hosts: ReadonlySet<string>;
  readonly url: string;
  readonly around?: ServeOptions['around'];
}

async function handle(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  served: Served,
  context: Context,
): Promise<void> {
  const reply = await answer(incoming, served).catch(failureReply);
  context.emit({
    kind: 'detail',
    message: `sandbox ${served.name}: ${incoming.method ?? ''} ${incoming.url ?? ''} → ${reply.status}`,
  });
  await send(incoming, outgoing, reply).catch(() => outgoing.destroy());
}

async function answer(incoming: IncomingMessage, served: Served): Promise<SandboxReply> {
  if (!served.hosts.has(incoming.headers.host ?? ''))
    return json(421, { message: 'this is not the host you asked for' });
  const request = toRequest(incoming, served.url);
  if (request === undefined) return json(400, { message: 'the path is not a valid URL' });
  const { around } = served;
  const next = (): Promise<SandboxReply> => dispatch(request, served).catch(failureReply);
  return around === undefined ? next() : around(request, next);
}

function failureReply(error: unknown): SandboxReply {
  return error instanceof ReplyError ? error.reply : json(500, { message: `the sandbox failed: ${messageOf(error)}` });
}

async function dispatch(request: SandboxRequest, served: Served): Promise<SandboxReply> {
  const path = decodeURIComponent(request.url.pathname);
  const rows = served.routes.flatMap((route) => {
    const match = route.path.exec(path);
    return match === null ? [] : [{ route, parameters: { ...match.groups } }];
  });
  const row = rows.find(({ route }) => route.methods.includes(request.method));
  if (row !== undefined) return row.route.answer(request, row.parameters);
  if (rows.length === 0) return json(404, { message: `nothing is at ${path}` });
  const allow = rows.flatMap(({ route }) => route.methods).join(', ');
  return json(405, { message: `${request.method} is not possible here`, errors: [UNSUPPORTED] }, { allow });
}

/** The error body of distribution-spec 1.1.1 for a method that is not there; harmless on the other services. */
const UNSUPPORTED = { code: 'UNSUPPORTED', message: 'the operation is unsupported', detail: null };

function toRequest(incoming: IncomingMessage, base: string): SandboxRequest | undefined {
  try {
    const url = new URL(incoming.url ?? '/', base);
    decodeURIComponent(url.pathname);
    return { method: incoming.method ?? 'GET', url, headers: incoming.headers, stream: incoming };
  } catch {
    return undefined;
  }
}

async function send(incoming: IncomingMessage, outgoing: ServerResponse, reply: SandboxReply): Promise<void> {
  const { body } = reply;
  const headers: Record<string, string | string[]> = {};
  for (const [key, value] of Object.entries(reply.headers ?? {}))
    headers[key] = typeof value === 'string' ? value : [...value];
  if (typeof body === 'string' || body instanceof Uint8Array)
    headers['content-length'] ??= String(Buffer.byteLength(body));
  else if (body === undefined && reply.status !== 204) headers['content-length'] ??= '0';
  // An answer before the body was read to its end: the rest of the body must not be taken for the next request.
  if (!incoming.complete) {
    headers['connection'] = 'close';
    incoming.resume();
  }
  outgoing.writeHead(reply.status, headers);
  if (incoming.method === 'HEAD' || body === undefined) {
    if (body instanceof Readable) body.destroy();
    outgoing.end();
  } else if (body instanceof Readable) await pipeline(body, outgoing);
  else outgoing.end(body);
}
