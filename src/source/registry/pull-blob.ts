import { pipeline, type Readable } from 'node:stream';
import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { verifyingStream } from '../../oci/digest.ts';
import type { HttpResponse } from '../http-message.ts';
import { isTransient, transportError } from '../transport-error.ts';
import { nameOf } from './manifests.ts';
import type { RepositoryClient } from './repository-client.ts';

/** How often a broken-off transfer is taken up again. What was received is never asked for twice. */
const RESUMES = 3;

/**
 * A blob's bytes as they arrive, checked against size and digest: distribution-spec 1.1.1, "Pulling blobs". A connection
 * that breaks is taken up where it broke, by Range.
 *
 * @throws BoltsealError NOT_FOUND and the registry's codes; the stream fails with SIZE_MISMATCH, DIGEST_MISMATCH …
 */
export async function pullBlob(client: RepositoryClient, blob: Descriptor, context: Context): Promise<Readable> {
  const first = await openBlob(client, blob, 0);
  const checked = verifyingStream(blob, `the blob ${nameOf(client)}@${blob.digest}`);
  // The error reaches whoever reads `checked`; this only keeps it from being thrown into the void.
  pipeline(receive({ client, blob, first }, context), checked, () => undefined);
  return checked;
}

async function openBlob(client: RepositoryClient, { digest }: Descriptor, fromByte: number): Promise<HttpResponse> {
  const doing = `reading the blob ${nameOf(client)}@${digest}`;
  const response = await client.send({
    method: 'GET',
    path: `blobs/${digest}`,
    headers: { 'accept-encoding': 'identity', ...(fromByte === 0 ? {} : { range: `bytes=${fromByte}-` }) },
    access: 'pull',
    doing,
  });
  if (response.status === 200 || (response.status === 206 && fromByte > 0)) return response;
  throw await client.failure(response, doing);
}

interface Transfer {
  readonly client: RepositoryClient;
  readonly blob: Descriptor;
  readonly first: HttpResponse;
}

async function* receive({ client, blob, first }: Transfer, context: Context): AsyncGenerator<Uint8Array> {
  let response = first;
  let doneBytes = 0;
  let skipBytes = 0;
  for (let resumes = 0; ; resumes += 1) {
    try {
      for await (const piece of response.body as AsyncIterable<Uint8Array>) {
        const fresh = piece.subarray(Math.min(skipBytes, piece.length));
        skipBytes -= piece.length - fresh.length;
        doneBytes += fresh.length;
        if (fresh.length > 0) yield fresh;
        context.emit({ kind: 'bytes', id: blob.digest, doneBytes, totalBytes: blob.size });
      }
      return;
    } catch (cause) {
      const error = transportError(cause, response.url, context);
      // Only the end of the answer is missing: there is nothing left to ask for, and the digest tells whether it is right.
      if (doneBytes === blob.size && isTransient(error)) return;
      if (resumes >= RESUMES || doneBytes > blob.size || !isTransient(error)) throw error;
      context.emit({
        kind: 'detail',
        message: `${blob.digest} broke off after ${doneBytes} bytes, going on from there`,
      });
      response = await openBlob(client, blob, doneBytes);
      skipBytes = bytesBefore(response, doneBytes);
    }
  }
}

/** How much of a resumed answer has been received before: all of it when the registry ignored the Range. */
function bytesBefore(response: HttpResponse, doneBytes: number): number {
  if (response.status === 200) return doneBytes;
  const [, start] = /^bytes (\d+)-/.exec(response.headers['content-range'] ?? '') ?? [];
  if (start !== undefined && Number(start) <= doneBytes) return doneBytes - Number(start);
  response.body.destroy();
  throw new BoltsealError('REGISTRY_ERROR', `${response.url.host} did not go on where the transfer broke off`, {
    hint: 'The connection broke and the registry cannot resume. Try again.',
  });
}
