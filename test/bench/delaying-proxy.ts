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

interface ProxyOptions {
  /** True for a server that answers to its own name only. Otherwise it sees the client's: it may answer with whole URLs. */
  readonly rewritesHost?: boolean;
}

export async function startDelayingProxy(
  target: string,
  { rewritesHost = false }: ProxyOptions = {},
): Promise<DelayingProxy> {
  const extra = rewritesHost ? { host: target } : {};
  const sockets = new Set<Socket>();
  const http = createHttpServer((incoming, outgoing) => {
    proxy.requests += 1;
    setTimeout(() => forward({ target, extra }, incoming, outgoing), proxy.latencyMs);
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

interface Onward {
  readonly target: string;
  readonly extra: Readonly<Record<string, string>>;
}

function forward({ target, extra }: Onward, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, headers } = incoming;
  const options = { method, headers: { ...headers, ...extra } };
  const onward = request(new URL(incoming.url ?? '/', `http://${target}`), options, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    pipeline(answer, outgoing, () => {});
  });
  onward.once('error', () => outgoing.destroy());
  pipeline(incoming, onward, () => {});
}
