import type { IncomingMessage } from 'node:http';
import type { ServerOptions } from 'node:https';
import { digestOf, isDigest, type Digest } from '../../src/oci/digest.ts';
import { referrersTag } from '../../src/source/referrer-entry.ts';
import { bodyOf, json, problem, send, startServer, type Answer, type RunningServer } from './http-server.ts';
import { referrersAnswer, type ReferrersBehaviour } from './registry-referrers.ts';
import { checkAuthorization, tokenAnswer, type AuthBehaviour } from './registry-auth.ts';

/** How this registry behaves, and misbehaves. May be changed while it runs. */
export interface RegistryBehaviour extends ReferrersBehaviour, AuthBehaviour {
  /** Sends OCI-Subject: it has the API and says so. `lie` sends it without listing. */
  ociSubject: boolean | 'lie';
  /** Sends ETag, and honours If-Match and If-None-Match. */
  conditional: boolean;
  /** Refuses an index that names manifests it does not have, as distribution 2.8 does. */
  checksIndexes: boolean;
  /** Reads the tag `sha256-<hex>` as a digest, as GitLab does. */
  dashTagIsDigest: boolean;
  /** Answers a mount of a blob that is there with 201. */
  mounts: boolean;
  /** Takes a blob that comes with the POST. */
  singlePost: boolean;
  uploadLocation: 'relative' | 'absolute';
  /** Answers instead of the registry when it returns something. */
  fault: (request: RecordedRequest) => Answer | Promise<Answer | undefined> | undefined;
}

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface StoredDocument {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

export interface TestRegistry extends RunningServer {
  readonly behaviour: RegistryBehaviour;
  readonly requests: RecordedRequest[];
  /** `METHOD path?query` of every request so far, without the token server's. */
  lines(): readonly string[];
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, StoredDocument>;
  readonly tags: Map<string, Digest>;
}

/** A small honest registry for one repository of any name, in this process, with switches for what others get wrong. */
export async function startRegistry(
  behaviour: Partial<RegistryBehaviour> = {},
  tls?: ServerOptions,
): Promise<TestRegistry> {
  const state: State = {
    behaviour: { ...HONEST, ...behaviour },
    requests: [],
    blobs: new Map(),
    manifests: new Map(),
    tags: new Map(),
    uploads: 0,
    hidden: new Set(),
  };
  const server = await startServer((incoming, response) => {
    void (async () => {
      const url = new URL(incoming.url ?? '/', 'http://registry');
      const body = await bodyOf(incoming);
      const { method = '', headers } = incoming;
      const request = { method, path: url.pathname, query: url.searchParams, headers, body };
      state.requests.push(request);
      const answer = (await state.behaviour.fault(request)) ?? route(request, state);
      send(response, answer, method !== 'HEAD');
    })();
  }, tls);
  const { requests, blobs, manifests, tags } = state;
  const lines = (): readonly string[] =>
    requests
      .filter(({ path }) => path !== '/token')
      .map(({ method, path, query }) => `${method} ${path}${query.size === 0 ? '' : `?${query}`}`);
  return { ...server, behaviour: state.behaviour, requests, blobs, manifests, tags, lines };
}

const HONEST: RegistryBehaviour = {
  referrers: 'api',
  pageSize: 1000,
  link: 'relative',
  filters: true,
  ociSubject: true,
  auth: 'none',
  conditional: false,
  checksIndexes: false,
  dashTagIsDigest: false,
  mounts: true,
  singlePost: true,
  uploadLocation: 'relative',
  fault: () => undefined,
};

export interface State extends Pick<TestRegistry, 'behaviour' | 'requests' | 'blobs' | 'manifests' | 'tags'> {
  uploads: number;
  /** Referrers that were taken but never listed. */
  readonly hidden: Set<string>;
}

function route(request: RecordedRequest, state: State): Answer {
  if (request.path === '/token') return tokenAnswer(request, state.behaviour);
  const refusal = checkAuthorization(request, state.behaviour);
  if (refusal !== undefined) return refusal;
  if (request.path === '/v2/') return json(200, {});
  const [, kind = '', rest = ''] = /^\/v2\/.+?\/(manifests|blobs|referrers)\/(.*)$/.exec(request.path) ?? [];
  const key = decodeURIComponent(rest);
  if (kind === 'manifests')
    return request.method === 'PUT' ? putManifest(key, request, state) : getManifest(key, state);
  if (kind === 'referrers') return referrersAnswer(key, request, state);
  if (kind === 'blobs' && key.startsWith('uploads/')) return upload(request, state);
  if (kind === 'blobs') return getBlob(key, request, state);
  return { status: 404, body: '404 page not found' };
}

function getManifest(reference: string, { behaviour, manifests, tags }: State): Answer {
  const asDigest = behaviour.dashTagIsDigest ? reference.replace(/^sha256-/, 'sha256:') : reference;
  const digest = isDigest(asDigest) ? asDigest : tags.get(reference);
  const found = digest === undefined ? undefined : manifests.get(digest);
  if (found === undefined || digest === undefined) return problem(404, 'MANIFEST_UNKNOWN', { reference });
  return {
    status: 200,
    headers: {
      'content-type': found.mediaType,
      'docker-content-digest': digest,
      ...(behaviour.conditional ? { etag: `"${digest}"` } : {}),
    },
    body: found.bytes,
  };
}

function putManifest(reference: string, { body, headers }: RecordedRequest, state: State): Answer {
  const { behaviour, manifests, tags } = state;
  const current = tags.get(reference);
  if (behaviour.conditional && !conditionHolds(headers, current)) return problem(412, 'PRECONDITION_FAILED');
  const parsed = JSON.parse(body.toString()) as {
    subject?: { digest: string };
    manifests?: readonly { digest: string }[];
  };
  const missing = (parsed.manifests ?? []).find(({ digest }) => !manifests.has(digest));
  if (behaviour.checksIndexes && missing !== undefined) return problem(400, 'MANIFEST_BLOB_UNKNOWN', missing.digest);
  const digest = digestOf(body);
  manifests.set(digest, { bytes: body, mediaType: headers['content-type'] ?? '' });
  if (!isDigest(reference)) tags.set(reference, digest);
  if (behaviour.ociSubject === 'lie') state.hidden.add(digest);
  const subject = parsed.subject?.digest;
  return {
    status: 201,
    headers: {
      'docker-content-digest': digest,
      ...(subject !== undefined && behaviour.ociSubject !== false ? { 'oci-subject': subject } : {}),
    },
  };
}

function conditionHolds(headers: IncomingMessage['headers'], current: Digest | undefined): boolean {
  const match = headers['if-match'];
  if (match !== undefined && match !== `"${current ?? ''}"`) return false;
  return headers['if-none-match'] !== '*' || current === undefined;
}

function upload({ method, path, query, body }: RecordedRequest, state: State): Answer {
  const { behaviour, blobs } = state;
  if (method === 'POST') {
    const mount = query.get('mount') ?? '';
    if (behaviour.mounts && blobs.has(mount)) return { status: 201, headers: { location: `/v2/blobs/${mount}` } };
    const given = query.get('digest');
    if (behaviour.singlePost && given !== null) return storeBlob(given, body, blobs);
    state.uploads += 1;
    const host = behaviour.uploadLocation === 'absolute' ? (behaviour.uploadHost ?? '') : '';
    return { status: 202, headers: { location: `${host}${path}${state.uploads}?_state=a%2Bb%3D` } };
  }
  if (query.get('_state') !== 'a+b=') return problem(404, 'BLOB_UPLOAD_INVALID');
  return storeBlob(query.get('digest') ?? '', body, blobs);
}

function storeBlob(digest: string, body: Buffer, blobs: State['blobs']): Answer {
  if (digestOf(body) !== digest) return problem(400, 'DIGEST_INVALID');
  blobs.set(digest, body);
  return { status: 201, headers: { location: `/v2/blobs/${digest}`, 'docker-content-digest': digest } };
}

function getBlob(digest: string, { headers }: RecordedRequest, { blobs }: State): Answer {
  const bytes = blobs.get(digest);
  if (bytes === undefined) return problem(404, 'BLOB_UNKNOWN');
  const [, from] = /^bytes=(\d+)-$/.exec(headers.range ?? '') ?? [];
  if (from === undefined) return { status: 200, headers: { 'content-type': 'application/octet-stream' }, body: bytes };
  const range = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
  return { status: 206, headers: { 'content-range': range }, body: bytes.subarray(Number(from)) };
}

/** What a client that knows nothing of this registry would have left under the fallback tag. */
export function putFallback(registry: TestRegistry, subject: Digest, manifests: readonly unknown[]): void {
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
  registry.manifests.set(digestOf(bytes), { bytes, mediaType });
  registry.tags.set(referrersTag(subject), digestOf(bytes));
}

/** The digests that the fallback tag of a subject lists. */
export function fallbackEntries(registry: TestRegistry, subject: Digest): readonly Record<string, unknown>[] {
  const digest = registry.tags.get(referrersTag(subject));
  const bytes = digest === undefined ? undefined : registry.manifests.get(digest)?.bytes;
  if (bytes === undefined) return [];
  return (JSON.parse(bytes.toString()) as { manifests: Record<string, unknown>[] }).manifests;
}
