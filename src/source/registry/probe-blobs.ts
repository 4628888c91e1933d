import type { Context } from '../../base/context.ts';
import { digestOf, type Digest } from '../../oci/digest.ts';
import { discardBody, readBody } from '../http.ts';
import type { HttpResponse } from '../http-message.ts';
import { checkTarget, resolveLocation } from '../redirect.ts';
import { nameOf } from './manifests.ts';
import { probed, type ProbeAnswer } from './probe-report.ts';
import type { ProbeTrail } from './probe-trail.ts';
import type { RegistryRequest, RepositoryClient } from './repository-client.ts';

/** A repository under probe. */
export interface Probing {
  readonly client: RepositoryClient;
  readonly trail: ProbeTrail;
  /** In everything that is stored, so that nothing of anybody else's has the same digest. */
  readonly nonce: string;
}

/** Tries the ways of uploading and reading a blob: distribution-spec 1.1.1, "Pushing blobs" and "Pulling blobs". */
export async function probeBlobs(probing: Probing, context: Context): Promise<readonly ProbeAnswer[]> {
  const bytes = blobBytes(probing, 'a blob');
  const singlePost = await trySinglePost(probing, bytes);
  return [
    singlePost,
    await tryRange(probing, bytes, context),
    await tryMount(probing, digestOf(bytes)),
    await tryChunks(probing),
    await trySha512(probing),
  ];
}

export function blobBytes({ nonce }: Probing, what: string): Buffer {
  return Buffer.from(`${what} of boltseal registry probe ${nonce}`);
}

/** Stores a blob by POST and PUT. @throws BoltsealError the registry's codes */
export async function putBlob(probing: Probing, bytes: Buffer, digest: Digest = digestOf(bytes)): Promise<void> {
  await finishUpload(probing, { location: await beginUpload(probing), bytes, digest });
}

async function trySinglePost(probing: Probing, bytes: Buffer): Promise<ProbeAnswer> {
  const digest = digestOf(bytes);
  probing.trail.add(`blobs/${digest}`, `the blob ${digest}`);
  const response = await post(probing, `?${new URLSearchParams({ digest }).toString()}`, bytes);
  if (response.status === 201) return probed('singlePost', 'yes', 'answers 201');
  if (response.status === 202) {
    const location = locationOf(response);
    probing.trail.addUpload(location);
    await finishUpload(probing, { location, bytes, digest });
  } else await putBlob(probing, bytes);
  return probed('singlePost', 'no', `answers ${response.status}`);
}

async function tryRange(probing: Probing, bytes: Buffer, context: Context): Promise<ProbeAnswer> {
  const digest = digestOf(bytes);
  const response = await ask(probing, { method: 'GET', path: `blobs/${digest}`, headers: { range: 'bytes=2-5' } });
  const body = Buffer.from(await readBody(response, bytes.length, context));
  const isRange = response.status === 206 && body.equals(bytes.subarray(2, 6));
  return probed('range', isRange ? 'yes' : 'no', `answers ${response.status} with ${body.length} bytes for 4`);
}

/** From the repository itself: another one might not be there, or not be writable. */
async function tryMount(probing: Probing, digest: Digest): Promise<ProbeAnswer> {
  const query = new URLSearchParams({ mount: digest, from: probing.client.repository }).toString();
  const response = await post(probing, `?${query}`);
  if (response.status === 202) probing.trail.addUpload(locationOf(response));
  return probed(
    'mount',
    response.status === 201 ? 'yes' : 'no',
    `answers ${response.status}, from the same repository`,
  );
}

async function tryChunks(probing: Probing): Promise<ProbeAnswer> {
  const bytes = blobBytes(probing, 'chunks');
  const digest = digestOf(bytes);
  const middle = Math.floor(bytes.length / 2);
  let location = await beginUpload(probing);
  for (const [from, to] of [
    [0, middle],
    [middle, bytes.length],
  ] as const) {
    const response = await ask(probing, {
      method: 'PATCH',
      path: location,
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(to - from),
        'content-range': `${from}-${to - 1}`,
      },
      body: () => bytes.subarray(from, to),
    });
    await discardBody(response);
    if (response.status !== 202) return probed('chunked', 'no', `answers ${response.status} to a chunk`);
    location = locationOf(response);
  }
  probing.trail.add(`blobs/${digest}`, `the blob ${digest}`);
  const response = await put(probing, { location, bytes: Buffer.alloc(0), digest });
  await discardBody(response);
  return probed('chunked', response.status === 201 ? 'yes' : 'no', `answers ${response.status} after two chunks`);
}

async function trySha512(probing: Probing): Promise<ProbeAnswer> {
  const bytes = blobBytes(probing, 'sha512');
  const digest = digestOf(bytes, 'sha512');
  const location = await beginUpload(probing);
  // Some store it under the digest they know instead.
  probing.trail.add(`blobs/${digestOf(bytes)}`, `the blob ${digestOf(bytes)}`);
  probing.trail.add(`blobs/${digest}`, `the blob ${digest}`);
  const response = await put(probing, { location, bytes, digest });
  await discardBody(response);
  if (response.status !== 201) return probed('sha512', 'no', `answers ${response.status} to an upload`);
  const head = await ask(probing, { method: 'HEAD', path: `blobs/${digest}` });
  await discardBody(head);
  return probed('sha512', head.status === 200 ? 'yes' : 'no', `takes a blob, and answers ${head.status} to its digest`);
}

async function beginUpload(probing: Probing): Promise<URL> {
  const response = await post(probing, '');
  if (response.status !== 202)
    throw await probing.client.failure(response, `starting an upload to ${nameOf(probing.client)}`);
  const location = locationOf(response);
  probing.trail.addUpload(location);
  return location;
}

async function post(probing: Probing, query: string, bytes?: Buffer): Promise<HttpResponse> {
  const response = await ask(probing, {
    method: 'POST',
    path: `blobs/uploads/${query}`,
    headers: { 'content-length': String(bytes?.length ?? 0), 'content-type': 'application/octet-stream' },
    ...(bytes === undefined ? {} : { body: () => bytes }),
  });
  if (response.status === 201 || response.status === 202) await discardBody(response);
  return response;
}

interface Finished {
  readonly location: URL;
  readonly bytes: Buffer;
  readonly digest: Digest;
}

async function finishUpload(probing: Probing, upload: Finished): Promise<void> {
  probing.trail.add(`blobs/${upload.digest}`, `the blob ${upload.digest}`);
  const response = await put(probing, upload);
  if (response.status !== 201)
    throw await probing.client.failure(response, `uploading a blob to ${nameOf(probing.client)}`);
  await discardBody(response);
}

function put(probing: Probing, { location, bytes, digest }: Finished): Promise<HttpResponse> {
  return ask(probing, {
    method: 'PUT',
    path: new URL(`${location.href}${location.search === '' ? '?' : '&'}digest=${digest}`),
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(bytes.length) },
    body: () => bytes,
  });
}

function locationOf(response: HttpResponse): URL {
  const location = resolveLocation(response.headers['location'] ?? '', response.url);
  checkTarget(location, response.url);
  return location;
}

/** One request whose every status is an answer, but for those that say nothing about the feature. */
export async function ask(
  { client }: Probing,
  request: Pick<RegistryRequest, 'method' | 'path' | 'headers' | 'body'>,
): Promise<HttpResponse> {
  const doing = `probing ${nameOf(client)}`;
  const response = await client.send({ ...request, access: 'push', raw: true, doing });
  const { status } = response;
  const saysNothing = status === 401 || status === 403 || status === 429 || (status >= 500 && status !== 501);
  if (saysNothing) throw await client.failure(response, doing);
  return response;
}
