import type { Readable } from 'node:stream';
import type { Context } from '../../base/context.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { discardBody } from '../http.ts';
import type { HttpResponse } from '../http-message.ts';
import { checkTarget, resolveLocation } from '../redirect.ts';
import { isTransient } from '../transport-error.ts';
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

/**
 * Stores a blob: distribution-spec 1.1.1, "Pushing a blob monolithically", POST then PUT. The POST also asks for a mount from
 * the same repository, which a registry grants when it has the blob, and a small blob goes along with it ("Single POST").
 * So a blob costs one or two requests, where asking, starting and sending would cost three.
 *
 * @throws BoltsealError REGISTRY_ERROR and the registry's codes
 */
export async function pushBlob(client: RepositoryClient, { blob, open }: Content, context: Context): Promise<void> {
  if (blob.size >= ASK_FIRST_BYTES && (await hasBlob(client, blob))) return;
  for (let attempt = 1; ; attempt += 1) {
    const location = await startUpload(client, { blob, open });
    if (location === undefined) return;
    const failed = await upload(client, { blob, open, location });
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
async function startUpload(client: RepositoryClient, { blob, open }: Content): Promise<URL | undefined> {
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
  return target;
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
  readonly location: URL;
}

interface Failed {
  readonly error: unknown;
  readonly mayRestart: boolean;
}

/** The location may carry state in its query, and may be on another host, which then gets no credentials. */
async function upload(client: RepositoryClient, { blob, open, location }: Upload): Promise<Failed | undefined> {
  const doing = `uploading the blob ${nameOf(client)}@${blob.digest}`;
  const separator = location.search === '' ? '?' : '&';
  try {
    const response = await client.send({
      method: 'PUT',
      path: new URL(`${location.href}${separator}digest=${blob.digest}`),
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(blob.size) },
      body: open,
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
