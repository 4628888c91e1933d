import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface RunningServer extends AsyncDisposable {
  /** `127.0.0.1:port`; with TLS `localhost:port`, which is what the certificate of the fixtures is for. */
  readonly host: string;
  readonly origin: string;
}

/** A server on a free port of this machine, gone at the end of the test's block. */
export async function startServer(listener: RequestListener, tls?: ServerOptions): Promise<RunningServer> {
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const host = `${tls === undefined ? '127.0.0.1' : 'localhost'}:${port}`;
  return {
    host,
    origin: `${tls === undefined ? 'http' : 'https'}://${host}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Sends only so many bytes of the body, then cuts the connection. */
  readonly cutAfterBytes?: number;
}

export function send(response: ServerResponse, answer: Answer, withBody = true): void {
  const body = Buffer.from(answer.body ?? '');
  response.writeHead(answer.status, { 'content-length': body.length, ...answer.headers });
  if (answer.cutAfterBytes === undefined) response.end(withBody ? body : undefined);
  else response.write(body.subarray(0, answer.cutAfterBytes), () => response.destroy());
}

export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}

/** An error body of the distribution specification. */
export function problem(status: number, code: string, detail: unknown = null): Answer {
  return json(status, { errors: [{ code, message: code.toLowerCase().replaceAll('_', ' '), detail }] });
}
