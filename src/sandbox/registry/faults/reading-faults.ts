import { Buffer } from 'node:buffer';
import { Readable } from 'node:stream';
import type { SandboxReply, SandboxRequest } from '../../http/message.ts';
import { digestOf } from '../../../oci/digest.ts';
import { firstTimes, isBlob, isManifest, seeBody, withHeaders, type ActiveFault, type Fault } from './fault.ts';

/** What registries and networks do to clients that pull. */
export const READING_FAULTS = {
  'blob-elsewhere': {
    summary: 'blobs are at another host, which refuses credentials (most cloud registries)',
    start: ({ elsewhere }) => ({
      answer: (request, next) =>
        isBlob(request) && request.method === 'GET'
          ? { status: 307, headers: { location: `${elsewhere}${request.url.pathname}` } }
          : next(),
    }),
  },
  'no-digest-header': {
    summary: 'no Docker-Content-Digest',
    start: () => ({
      answer: async (_request, next) => withHeaders(await next(), { 'docker-content-digest': undefined }),
    }),
  },
  'digest-header-sha512': {
    summary: 'Docker-Content-Digest is of another algorithm than was asked for (distribution 2.8, the other way round)',
    start: () => ({
      answer: async (request, next) => {
        const isByDigest = isManifest(request) && /\/sha256(?::|%3A)/i.test(request.url.pathname);
        if (!isByDigest) return next();
        const seen = request.method === 'PUT' ? seeBody(request) : undefined;
        const reply = await next();
        const bytes = seen?.() ?? reply.body;
        return reply.status < 300 && bytes instanceof Uint8Array
          ? withHeaders(reply, { 'docker-content-digest': digestOf(bytes, 'sha512') })
          : reply;
      },
    }),
  },
  'corrupt-body': {
    summary: 'the last byte of every blob and manifest is another one',
    start: () =>
      onBodies((bytes) => ({ body: Buffer.concat([bytes.subarray(0, -1), Buffer.from([(bytes.at(-1) ?? 0) ^ 1])]) })),
  },
  'short-body': {
    summary: 'blobs and manifests end a byte early, and the length says so too',
    start: () => onBodies((bytes) => ({ body: bytes.subarray(0, -1) })),
  },
  'reset-body': {
    summary: 'the connection breaks in the middle of the first two blobs',
    start: () => {
      const breaks = firstTimes(2);
      return {
        answer: async (request, next) => {
          if (request.method !== 'GET' || !isBlob(request)) return next();
          const reply = await next();
          const bytes = await bytesOf(reply);
          return breaks(() => ({ ...reply, body: Readable.from(half(bytes)) })) ?? { ...reply, body: bytes };
        },
      };
    },
  },
} as const satisfies Readonly<Record<string, Fault>>;

function onBodies(change: (bytes: Buffer) => { readonly body: Buffer }): ActiveFault {
  return {
    answer: async (request: SandboxRequest, next) => {
      const reply = await next();
      const applies = request.method === 'GET' && reply.status === 200 && (isBlob(request) || isManifest(request));
      if (!applies) return reply;
      const changed = change(await bytesOf(reply));
      return { ...withHeaders(reply, { 'content-length': String(changed.body.length) }), ...changed };
    },
  };
}

async function bytesOf({ body }: SandboxReply): Promise<Buffer> {
  if (!(body instanceof Readable)) return Buffer.from(body ?? '');
  const pieces: Uint8Array[] = [];
  for await (const piece of body as AsyncIterable<Uint8Array>) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* half(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes.subarray(0, Math.ceil(bytes.length / 2));
  // Long enough for the first half to leave.
  await new Promise((resolve) => setImmediate(resolve));
  throw new Error('the connection is cut here');
}
