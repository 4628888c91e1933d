import type { IncomingMessage, ServerResponse } from 'node:http';
import { digestOf } from '../../src/oci/digest.ts';
import { startServer, type RunningServer } from './http-server.ts';

/** How this server of uploads behaves. */
export interface UploadBehaviour {
  /** The connection is cut each time that the server has received so many bytes in all. */
  readonly cutsAfterBytes?: readonly number[];
  /** What is left of a request that was cut: its bytes, none of them, or not even the upload. */
  readonly keeps?: 'bytes' | 'whole chunks' | 'nothing';
  /** Does not look at Content-Range, as distribution 2.8 does not. */
  readonly ignoresRange?: boolean;
  /** Loses so many of the bytes it has, and says so, the first time it is asked. */
  readonly losesBytes?: number;
  readonly minChunkBytes?: number;
  /** Answers PATCH with this status. */
  readonly patchStatus?: number;
}

export interface UploadServer extends RunningServer {
  /** `METHOD` of every request, with the range of a PATCH. */
  readonly lines: string[];
  /** Bytes of all bodies. */
  receivedBytes(): number;
  readonly stored: Map<string, Buffer>;
}

interface Session {
  bytes: Buffer;
  /** Raised with every answer: only the newest location is good. */
  generation: number;
}

/** One repository that takes uploads as distribution-spec 1.1.1 describes, and looks at bodies while they arrive. */
export async function startUploadServer(behaviour: UploadBehaviour = {}): Promise<UploadServer> {
  const { cutsAfterBytes = [], keeps = 'bytes', ignoresRange = false, losesBytes = 0 } = behaviour;
  const lines: string[] = [];
  const stored = new Map<string, Buffer>();
  const sessions = new Map<string, Session>();
  const state = { received: 0, cuts: [...cutsAfterBytes], hasLost: false };

  const answer = (response: ServerResponse, status: number, headers: Record<string, string> = {}): void => {
    response.writeHead(status, { 'content-length': 0, ...headers }).end();
  };
  const locate = (id: string, session: Session): Record<string, string> => ({
    location: `/v2/acme/app/blobs/uploads/${id}?_state=${(session.generation += 1)}`,
    range: `0-${Math.max(0, session.bytes.length - 1)}`,
  });
  /** The body; undefined when the connection was cut on purpose, after what arrived was kept or not. */
  const receive = async (request: IncomingMessage, session: Session): Promise<Buffer | undefined> => {
    const pieces: Buffer[] = [];
    for await (const piece of request as AsyncIterable<Buffer>) {
      pieces.push(piece);
      state.received += piece.length;
      if (state.received < (state.cuts[0] ?? Infinity)) continue;
      state.cuts.shift();
      if (keeps === 'bytes') session.bytes = Buffer.concat([session.bytes, ...pieces]);
      if (keeps === 'nothing') session.generation = -1;
      request.destroy();
      return undefined;
    }
    return Buffer.concat(pieces);
  };
  const begin = (response: ServerResponse): void => {
    const id = String(sessions.size);
    const session = { bytes: Buffer.alloc(0), generation: 0 };
    sessions.set(id, session);
    const { minChunkBytes } = behaviour;
    const chunks = minChunkBytes === undefined ? {} : { 'oci-chunk-min-length': String(minChunkBytes) };
    answer(response, 202, { ...locate(id, session), ...chunks });
  };
  /** The status that a chunk is refused with; undefined when its place is right, or nobody looks. */
  const refusalOf = ({ headers }: IncomingMessage, session: Session): number | undefined => {
    if (behaviour.patchStatus !== undefined) return behaviour.patchStatus;
    if (!state.hasLost && losesBytes > 0 && session.bytes.length > 0) {
      state.hasLost = true;
      session.bytes = session.bytes.subarray(0, session.bytes.length - losesBytes);
    }
    const [, from = '0'] = /^(\d+)-\d+$/.exec(headers['content-range'] ?? '') ?? [];
    return ignoresRange || Number(from) === session.bytes.length ? undefined : 416;
  };
  const finish = (response: ServerResponse, digest: string, { bytes }: Session): void => {
    if (digestOf(bytes) !== digest) return answer(response, 400);
    stored.set(digest, bytes);
    answer(response, 201);
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://server');
    const id = pathname.split('/').at(-1) ?? '';
    const { method = '' } = request;
    lines.push(method === 'PATCH' ? `PATCH ${request.headers['content-range']}` : method);
    if (method === 'POST') return begin(response);
    const session = sessions.get(id);
    if (session === undefined || Number(searchParams.get('_state')) !== session.generation)
      return answer(response, 404);
    if (method === 'GET') return answer(response, 204, locate(id, session));
    const refusal = method === 'PATCH' ? refusalOf(request, session) : undefined;
    if (refusal !== undefined) return answer(response, refusal);
    const body = await receive(request, session);
    if (body === undefined) return;
    session.bytes = Buffer.concat([session.bytes, body]);
    if (method === 'PATCH') answer(response, 202, locate(id, session));
    else finish(response, searchParams.get('digest') ?? '', session);
  };
  const server = await startServer(
    (request, response) => void serve(request, response).catch(() => response.destroy()),
  );
  return { ...server, lines, stored, receivedBytes: () => state.received };
}
