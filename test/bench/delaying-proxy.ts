import { createServer as createHttpServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { pipeline } from 'node:stream';

/** A server in front of another: as slow as a network is, and it counts what is asked of it. */
export interface DelayingProxy extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** One round trip: what opening a connection costs, and what each request costs. */
  latencyMs: number;
  requests: number;
  connections: number;
}

export async function startDelayingProxy(target: string): Promise<DelayingProxy> {
  const sockets = new Set<Socket>();
  const http = createHttpServer((incoming, outgoing) => {
    proxy.requests += 1;
    setTimeout(() => forward(target, incoming, outgoing), proxy.latencyMs);
  });
  http.keepAliveTimeout = 60_000;
  const server = createServer({ noDelay: true }, (socket) => {
    proxy.connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    setTimeout(() => http.emit('connection', socket), proxy.latencyMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: DelayingProxy = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    latencyMs: 0,
    requests: 0,
    connections: 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

/** The Host header stays the client's: a registry that answers with whole URLs then answers with the proxy's. */
function forward(target: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, headers } = incoming;
  const onward = request(new URL(incoming.url ?? '/', `http://${target}`), { method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    pipeline(answer, outgoing, () => {});
  });
  onward.once('error', () => outgoing.destroy());
  pipeline(incoming, onward, () => {});
}
