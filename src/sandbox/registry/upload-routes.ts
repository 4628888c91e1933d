import type { Route, SandboxReply, SandboxRequest } from '../http/message.ts';
import type { BlobStore } from './blob-store.ts';
import { requireName } from './names.ts';
import { registryError, requireDigest } from './registry-error.ts';
import type { Upload, Uploads } from './uploads.ts';

interface Stores {
  readonly blobs: BlobStore;
  readonly uploads: Uploads;
}

/** distribution-spec 1.1.1, "Pushing blobs": in one request, in two, in chunks, or by mounting. */
export function uploadRoutes(stores: Stores): readonly Route[] {
  const session = /^\/v2\/(?<name>.+)\/blobs\/uploads\/(?<id>[^/]+)$/;
  const withUpload =
    (answer: (request: SandboxRequest, upload: Upload) => Promise<SandboxReply> | SandboxReply): Route['answer'] =>
    (request, { name, id = '' }) =>
      answer(request, stores.uploads.find(requireName(name), id));
  return [
    {
      methods: ['POST'],
      path: /^\/v2\/(?<name>.+)\/blobs\/uploads\/?$/,
      answer: (request, { name }) => begin(request, requireName(name), stores),
    },
    { methods: ['GET'], path: session, answer: withUpload((_request, upload) => progress(204, upload)) },
    { methods: ['PATCH'], path: session, answer: withUpload((request, upload) => addChunk(request, upload, stores)) },
    { methods: ['PUT'], path: session, answer: withUpload((request, upload) => finish(request, upload, stores)) },
    {
      methods: ['DELETE'],
      path: session,
      async answer(_request, { name, id = '' }) {
        await stores.uploads.discard(stores.uploads.find(requireName(name), id));
        return { status: 204 };
      },
    },
  ];
}

async function begin(request: SandboxRequest, name: string, stores: Stores): Promise<SandboxReply> {
  const { searchParams } = request.url;
  const [mount, from, digest] = ['mount', 'from', 'digest'].map((key) => searchParams.get(key));
  if (mount !== null && mount !== undefined) {
    const wanted = requireDigest(mount);
    if (typeof from === 'string' && stores.blobs.mount(name, wanted, from)) return created(name, wanted);
    return progress(202, stores.uploads.begin(name));
  }
  if (digest === null || digest === undefined) return progress(202, stores.uploads.begin(name));
  requireDigest(digest);
  return finish(request, stores.uploads.begin(name), stores);
}

async function addChunk(request: SandboxRequest, upload: Upload, { uploads }: Stores): Promise<SandboxReply> {
  return progress(202, await appendBody(request, upload, uploads));
}

/** Appends the body, which must be as long as Content-Range says also when no Content-Length announced it. */
async function appendBody(request: SandboxRequest, upload: Upload, uploads: Uploads): Promise<Upload> {
  const endBytes = checkContentRange(request, upload);
  const appended = await uploads.append(upload, request.stream);
  if (endBytes === undefined || appended.sizeBytes === endBytes) return appended;
  await uploads.discard(upload);
  throw registryError('SIZE_INVALID', 'the chunk is not as long as its Content-Range says');
}

async function finish(request: SandboxRequest, upload: Upload, { blobs, uploads }: Stores): Promise<SandboxReply> {
  const expected = requireDigest(request.url.searchParams.get('digest'));
  await appendBody(request, upload, uploads);
  const found = await uploads.digest(upload, expected);
  if (found !== expected) {
    await uploads.discard(upload);
    throw registryError('DIGEST_INVALID', 'provided digest did not match uploaded content', { detail: { found } });
  }
  uploads.end(upload);
  await blobs.adopt(upload.name, expected, upload.path);
  return created(upload.name, expected);
}

/**
 * `first-last` without a unit. A chunk that does not begin where the last one ended is refused with what is there.
 * Returns the size that the upload should have after it, or undefined when the request does not say.
 */
function checkContentRange({ headers }: SandboxRequest, upload: Upload): number | undefined {
  const range = headers['content-range'];
  if (range === undefined) return undefined;
  const [, first, last] = /^(\d+)-(\d+)$/.exec(range) ?? [];
  if (first === undefined || last === undefined)
    throw registryError('BLOB_UPLOAD_INVALID', 'Content-Range should be FIRST-LAST', { detail: range });
  if (Number(first) !== upload.sizeBytes)
    throw registryError('BLOB_UPLOAD_INVALID', 'the chunk is out of order', {
      status: 416,
      headers: uploadHeaders(upload),
    });
  const length = headers['content-length'];
  if (length !== undefined && Number(length) !== Number(last) - Number(first) + 1)
    throw registryError('SIZE_INVALID', 'Content-Length and Content-Range do not agree');
  return Number(last) + 1;
}

function progress(status: number, upload: Upload): SandboxReply {
  return { status, headers: uploadHeaders(upload) };
}

function uploadHeaders({ id, name, sizeBytes }: Upload): Readonly<Record<string, string>> {
  return {
    location: `/v2/${name}/blobs/uploads/${id}`,
    range: `0-${Math.max(sizeBytes - 1, 0)}`,
    'docker-upload-uuid': id,
  };
}

function created(name: string, digest: string): SandboxReply {
  return {
    status: 201,
    headers: { location: `/v2/${name}/blobs/${digest}`, 'docker-content-digest': digest },
  };
}
