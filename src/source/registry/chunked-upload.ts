import type { Readable } from 'node:stream';
import type { Context } from '../../base/context.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { discardBody } from '../http.ts';
import type { HttpResponse } from '../http-message.ts';
import { checkTarget, resolveLocation } from '../redirect.ts';
import { isTransient } from '../transport-error.ts';
import { openCursor, type BlobCursor } from './blob-cursor.ts';
import { nameOf } from './manifests.ts';
import type { RepositoryClient } from './repository-client.ts';

/** An upload that a registry has begun. */
export interface StartedUpload {
  /** Where the next bytes go: always the newest that the registry named. */
  readonly location: URL;
  /** OCI-Chunk-Min-Length: all chunks but the last have at least this. */
  readonly minChunkBytes: number;
}

export interface UploadedBlob {
  readonly blob: Descriptor;
  readonly open: () => Readable | Uint8Array;
}

/** What a broken connection can cost at most, where the registry keeps nothing of a chunk that was cut. */
const CHUNK_BYTES = 16 * 1024 * 1024;
/** How often an upload is taken up again before it is started anew. */
const RESUMES = 5;

/**
 * How many bytes of an upload the registry has, and where it goes on: distribution-spec 1.1.1, "Pushing a blob in chunks",
 * the status of an upload. Undefined when it has forgotten it, or has nothing: `0-0` is what some say for none.
 */
export async function askProgress(
  client: RepositoryClient,
  { location, minChunkBytes }: StartedUpload,
): Promise<{ readonly upload: StartedUpload; readonly doneBytes: number } | undefined> {
  const doing = `asking how far an upload to ${nameOf(client)} has come`;
  const response = await client
    .send({ method: 'GET', path: location, access: 'push', raw: true, doing })
    .catch((error: unknown) => {
      if (isTransient(error)) return undefined;
      throw error;
    });
  if (response === undefined) return undefined;
  await discardBody(response);
  const end = rangeEnd(response);
  if ((response.status !== 204 && response.status !== 202) || end === undefined || end === 0) return undefined;
  return { upload: { location: nextLocation(response, location), minChunkBytes }, doneBytes: end + 1 };
}

/**
 * Sends what is missing of a blob in chunks, and takes up what breaks where the registry says that it stopped. Returns the
 * upload to be closed, undefined when it has to be started anew. Nothing is sent before the registry has said how far it is:
 * some take a chunk at the wrong place without a word, and only the digest at the end tells.
 *
 * @throws BoltsealError what reading the blob fails with, REGISTRY_UNSAFE, INTERRUPTED
 */
export async function sendChunks(
  client: RepositoryClient,
  { blob, open, upload, doneBytes }: UploadedBlob & { readonly upload: StartedUpload; readonly doneBytes: number },
  context: Context,
): Promise<StartedUpload | undefined> {
  let [at, current] = [doneBytes, upload];
  let cursor = openCursor(open, at);
  try {
    for (let resumes = 0; at < blob.size;) {
      const lengthBytes = Math.min(Math.max(CHUNK_BYTES, current.minChunkBytes), blob.size - at);
      const sent = await sendChunk(client, {
        blob,
        upload: current,
        at,
        lengthBytes,
        body: bodies(cursor, open, { at, lengthBytes }),
      });
      const isWhole = sent.kind === 'taken' && sent.doneBytes === at + lengthBytes;
      if (isWhole) {
        [at, current] = [sent.doneBytes, sent.upload];
        context.emit({ kind: 'bytes', id: blob.digest, doneBytes: at, totalBytes: blob.size });
        continue;
      }
      if (sent.kind === 'refused' || (resumes += 1) > RESUMES) return undefined;
      const progress = await askProgress(client, sent.kind === 'taken' ? sent.upload : current);
      if (progress === undefined || progress.doneBytes > blob.size) return undefined;
      context.emit({ kind: 'detail', message: `going on with ${blob.digest} after ${progress.doneBytes} bytes` });
      [at, current] = [progress.doneBytes, progress.upload];
      cursor[Symbol.dispose]();
      cursor = openCursor(open, at);
    }
    return current;
  } finally {
    cursor[Symbol.dispose]();
  }
}

/** A body is asked for again when a token has expired on the way: then the chunk is read anew. */
function bodies(
  cursor: BlobCursor,
  open: UploadedBlob['open'],
  { at, lengthBytes }: { readonly at: number; readonly lengthBytes: number },
): () => Readable {
  let used = false;
  return () => {
    const from = used ? openCursor(open, at) : cursor;
    used = true;
    return from.take(lengthBytes);
  };
}

interface Chunk {
  readonly blob: Descriptor;
  readonly upload: StartedUpload;
  readonly at: number;
  readonly lengthBytes: number;
  readonly body: () => Readable;
}

type Sent =
  | { readonly kind: 'taken'; readonly upload: StartedUpload; readonly doneBytes: number }
  /** The connection broke, or the chunk was not the one that is next (416): the registry knows where it is. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'refused' };

async function sendChunk(client: RepositoryClient, chunk: Chunk): Promise<Sent> {
  const { blob, upload, at, lengthBytes, body } = chunk;
  try {
    const response = await client.send({
      method: 'PATCH',
      path: upload.location,
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(lengthBytes),
        'content-range': `${at}-${at + lengthBytes - 1}`,
      },
      body,
      access: 'push',
      raw: true,
      doing: `uploading the blob ${nameOf(client)}@${blob.digest}`,
    });
    await discardBody(response);
    if (response.status === 202 || response.status === 204) {
      const end = rangeEnd(response);
      const next = { location: nextLocation(response, upload.location), minChunkBytes: upload.minChunkBytes };
      return { kind: 'taken', upload: next, doneBytes: end === undefined ? at + lengthBytes : end + 1 };
    }
    return { kind: LOST.has(response.status) ? 'lost' : 'refused' };
  } catch (error) {
    if (isTransient(error)) return { kind: 'lost' };
    throw error;
  }
}

const LOST: ReadonlySet<number> = new Set([408, 416, 429, 500, 502, 503, 504]);

/** `Range: 0-1023`, with or without a unit: the position of the last byte. */
function rangeEnd({ headers }: HttpResponse): number | undefined {
  const [, end] = /^(?:bytes=)?0-(\d+)$/.exec(headers['range'] ?? '') ?? [];
  return end === undefined ? undefined : Number(end);
}

function nextLocation({ headers, url }: HttpResponse, before: URL): URL {
  const location = headers['location'];
  if (location === undefined) return before;
  const target = resolveLocation(location, url);
  checkTarget(target, url);
  return target;
}
