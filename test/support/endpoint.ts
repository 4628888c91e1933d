import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Endpoint extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  /** Every request so far, oldest first. */
  readonly requests: readonly Asked[];
}

/** An HTTP server on loopback that answers every request in one way, or not at all. */
export async function startEndpoint(answer: (response: ServerResponse, request: Asked) => void): Promise<Endpoint> {
  const requests: Asked[] = [];
  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url: path = '', headers } = incoming;
    const request = { method, path, headers, body: await readText(incoming) };
    requests.push(request);
    answer(response, request);
  };
  const server = createServer((incoming, response) => void handle(incoming, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}`,
    host,
    requests,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function readText(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
