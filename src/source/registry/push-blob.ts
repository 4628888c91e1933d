import type { Readable } from 'node:stream';
import type { Context } from '../../base/context.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { BoltsealError } from '../../base/errors.ts';
import { discardBody } from '../http.ts';
import type { HttpResponse } from '../http-message.ts';
import { checkTarget, resolveLocation } from '../redirect.ts';
import { isTransient } from '../transport-error.ts';
import { askProgress, sendChunks, type StartedUpload } from './chunked-upload.ts';
import { nameOf } from './manifests.ts';
import type { RepositoryClient } from './repository-client.ts';
import { pause } from './retry.ts';

/** From here on it is worth a request to ask whether the blob is there before sending it. */
const ASK_FIRST_BYTES = 256 * 1024;
/** The whole upload is started anew: after a lost answer its old location may be gone. */
const UPLOAD_ATTEMPTS = 4;
const RESTART_AFTER_MS = 300;

/** Up to here the bytes go with the first request already: sending them twice costs less than asking once more. */
const SEND_AT_ONCE_BYTES = 64 * 1024;

/** From here on bytes that a registry has received are worth a request to find out, when a connection breaks. */
const RESUME_FROM_BYTES = 4 * 1024 * 1024;

/**
 * Stores a blob: distribution-spec 1.1.1, "Pushing a blob monolithically", POST then PUT. The POST also asks for a mount from
 * the same repository, which a registry grants when it has the blob, and a small blob goes along with it ("Single POST").
 * So a blob costs one or two requests, where asking, starting and sending would cost three.
 *
 * A big blob whose upload breaks goes on where the registry says that it stopped, in chunks; from a registry that kept
 * nothing it starts anew, in chunks and in one piece by turns, since not every registry takes both.
 *
 * @throws BoltsealError REGISTRY_ERROR and the registry's codes
 */
export async function pushBlob(client: RepositoryClient, { blob, open }: Content, context: Context): Promise<void> {
  if (blob.size >= ASK_FIRST_BYTES && (await hasBlob(client, blob))) return;
  const isBig = blob.size >= RESUME_FROM_BYTES;
  for (let attempt = 1; ; attempt += 1) {
    const started = await startUpload(client, { blob, open });
    if (started === undefined) return;
    const upload = { blob, open, upload: started };
    const failed =
      isBig && attempt % 2 === 0
        ? await uploadChunks(client, { ...upload, doneBytes: 0 }, context)
        : await uploadWhole(client, upload, { isBig, context });
    if (failed === undefined) return;
    if (attempt >= UPLOAD_ATTEMPTS || !failed.mayRestart) throw failed.error;
    context.emit({ kind: 'detail', message: `starting the upload of ${blob.digest} again` });
    await pause(RESTART_AFTER_MS * 2 ** attempt, context);
  }
}

async function hasBlob(client: RepositoryClient, { digest }: Descriptor): Promise<boolean> {
  const doing = `looking for the blob ${nameOf(client)}@${digest}`;
  const response = await client.send({ method: 'HEAD', path: `blobs/${digest}`, access: 'push', doing });
  await discardBody(response);
  return response.status === 200;
}

interface Content {
  readonly blob: Descriptor;
  readonly open: () => Readable | Uint8Array;
}

/** Where to send the bytes; undefined when the registry has them already. */
async function startUpload(client: RepositoryClient, { blob, open }: Content): Promise<StartedUpload | undefined> {
  const doing = `starting an upload to ${nameOf(client)}`;
  const small = blob.size <= SEND_AT_ONCE_BYTES;
  const wishes = { mount: blob.digest, from: client.repository, ...(small ? { digest: blob.digest } : {}) };
  const first = { path: `blobs/uploads/?${new URLSearchParams(wishes).toString()}`, sizeBytes: small ? blob.size : 0 };
  let response = await post(client, { ...first, ...(small ? { body: open } : {}), doing });
  // Some registries answer a wish they cannot grant with an error instead of an upload.
  if (response.status >= 400) {
    await discardBody(response);
    response = await post(client, { path: 'blobs/uploads/', sizeBytes: 0, doing });
  }
  if (response.status !== 201 && response.status !== 202) throw await client.failure(response, doing);
  await discardBody(response);
  if (response.status === 201) return undefined;
  const target = resolveLocation(response.headers['location'] ?? '', response.url);
  checkTarget(target, response.url);
  const minChunkBytes = Number(/^\d{1,12}$/.exec(response.headers['oci-chunk-min-length'] ?? '')?.[0] ?? 0);
  return { location: target, minChunkBytes };
}

interface Post {
  readonly path: string;
  readonly sizeBytes: number;
  readonly body?: () => Readable | Uint8Array;
  readonly doing: string;
}

function post(client: RepositoryClient, { path, sizeBytes, body, doing }: Post): Promise<HttpResponse> {
  return client.send({
    method: 'POST',
    path,
    headers: {
      'content-length': String(sizeBytes),
      ...(body === undefined ? {} : { 'content-type': 'application/octet-stream' }),
    },
    ...(body === undefined ? {} : { body }),
    access: 'push',
    doing,
  });
}

interface Upload extends Content {
  readonly upload: StartedUpload;
}

interface Failed {
  readonly error: unknown;
  readonly mayRestart: boolean;
}

async function uploadWhole(
  client: RepositoryClient,
  content: Upload,
  { isBig, context }: { readonly isBig: boolean; readonly context: Context },
): Promise<Failed | undefined> {
  const { blob, open, upload } = content;
  const failed = await finishUpload(client, { blob, ...upload, sizeBytes: blob.size, body: open });
  if (failed?.mayRestart !== true || !isBig) return failed;
  const progress = await askProgress(client, upload);
  return progress === undefined || progress.doneBytes > blob.size
    ? failed
    : uploadChunks(client, { ...content, ...progress }, context);
}

async function uploadChunks(
  client: RepositoryClient,
  content: Upload & { readonly doneBytes: number },
  context: Context,
): Promise<Failed | undefined> {
  const sent = await sendChunks(client, content, context);
  if (sent !== undefined) {
    const failed = await finishUpload(client, { blob: content.blob, ...sent, sizeBytes: 0 });
    // Not the digest: then a registry has put pieces together wrongly, and the next attempt is made of one.
    return failed === undefined ? undefined : { ...failed, mayRestart: true };
  }
  const error = new BoltsealError(
    'REGISTRY_ERROR',
    `${client.host} did not go on with the upload of ${content.blob.digest}`,
    {
      hint: 'The connection broke and the registry cannot resume. Try again.',
    },
  );
  return { error, mayRestart: true };
}

interface Finish {
  readonly blob: Descriptor;
  readonly location: URL;
  readonly sizeBytes: number;
  readonly body?: () => Readable | Uint8Array;
}

/** The location may carry state in its query, and may be on another host, which then gets no credentials. */
async function finishUpload(client: RepositoryClient, finish: Finish): Promise<Failed | undefined> {
  const { blob, location, sizeBytes, body } = finish;
  const doing = `uploading the blob ${nameOf(client)}@${blob.digest}`;
  const separator = location.search === '' ? '?' : '&';
  try {
    const response = await client.send({
      method: 'PUT',
      path: new URL(`${location.href}${separator}digest=${blob.digest}`),
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(sizeBytes) },
      ...(body === undefined ? {} : { body }),
      access: 'push',
      raw: true,
      doing,
    });
    if (response.status < 200 || response.status > 299)
      return { error: await client.failure(response, doing), mayRestart: RESTARTED.has(response.status) };
    await discardBody(response);
    return undefined;
  } catch (error) {
    return { error, mayRestart: isTransient(error) };
  }
}

/** Passing trouble of the server, and an upload that it has forgotten. */
const RESTARTED: ReadonlySet<number> = new Set([404, 408, 416, 429, 500, 502, 503, 504]);
