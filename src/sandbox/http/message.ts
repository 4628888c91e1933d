import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

/** A request after routing. */
export interface SandboxRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  /** The body as it arrives; at most one reader. */
  readonly stream: Readable;
}

export interface SandboxReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array | Readable;
}

/** One row of a service's table: what it answers, and to what. Named groups of `path` are the parameters. */
export interface Route {
  readonly methods: readonly string[];
  /** Matched against the percent-decoded path, whole. */
  readonly path: RegExp;
  readonly answer: (
    request: SandboxRequest,
    parameters: Readonly<Record<string, string>>,
  ) => Promise<SandboxReply> | SandboxReply;
}

/** Thrown by a route to end with this reply. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
  readonly reply: SandboxReply;

  constructor(reply: SandboxReply) {
    super(`answered with ${reply.status}`);
    this.reply = reply;
  }
}

export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): SandboxReply {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}

/** Reads a body whole. @throws ReplyError with `tooLarge` when it has more bytes than `maxBytes` */
export async function readBody(stream: Readable, maxBytes: number, tooLarge: SandboxReply): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let seenBytes = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    seenBytes += chunk.length;
    if (seenBytes > maxBytes) throw new ReplyError(tooLarge);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
