import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Agent extends AsyncDisposable {
  /** For SPIFFE_ENDPOINT_SOCKET. */
  readonly endpoint: string;
  readonly calls: readonly { readonly headers: IncomingHttpHeaders; readonly body: Buffer }[];
}

/** A SPIFFE agent that answers every call in one way; on a socket in a new folder, or on TCP. */
export async function startAgent(
  answer: (stream: ServerHttp2Stream) => void,
  { tcp = false }: { readonly tcp?: boolean } = {},
): Promise<Agent> {
  const directory = await mkdtemp(join(tmpdir(), 'boltseal test-'));
  const path = join(directory, 'agent.sock');
  const calls: { headers: IncomingHttpHeaders; body: Buffer }[] = [];
  const server = createServer();
  const sessions = new Set<{ destroy: () => void }>();
  server.on('session', (session) => void sessions.add(session));
  const handle = async (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
    calls.push({ headers, body: Buffer.concat(chunks) });
    answer(stream);
  };
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => undefined);
    handle(stream, headers).catch(() => stream.destroy());
  });
  await once(tcp ? server.listen(0, '127.0.0.1') : server.listen(path), 'listening');
  return {
    endpoint: tcp ? `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix://${encodeURI(path)}`,
    calls,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const session of sessions) session.destroy();
      await closed;
      await rm(directory, { recursive: true });
    },
  };
}

/** The answer of a gRPC server: its message, framed, and its status after it. */
export function reply(
  stream: ServerHttp2Stream,
  message: Buffer,
  status: Readonly<Record<string, string>> = { 'grpc-status': '0' },
): void {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(status));
  stream.end(Buffer.concat([prefix, message]));
}

/** JWTSVIDResponse with these documents, each a SPIFFE ID and a token. */
export function svidResponse(...svids: readonly (readonly [id: string, token: string])[]): Buffer {
  return Buffer.concat(svids.map(([id, token]) => field(1, Buffer.concat([field(1, id), field(2, token)]))));
}

/** A length-delimited field of a protobuf message. */
export function field(number: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = bytes.length < 0x80 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7];
  return Buffer.concat([Buffer.from([number * 8 + 2, ...length]), bytes]);
}
