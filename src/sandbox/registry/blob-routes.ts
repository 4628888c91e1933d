import type { Digest } from '../../oci/digest.ts';
import type { Route, SandboxReply, SandboxRequest } from '../http/message.ts';
import type { BlobStore, ByteRange } from './blob-store.ts';
import { requireName } from './names.ts';
import { registryError, requireDigest } from './registry-error.ts';

/** distribution-spec 1.1.1, "Pulling blobs" and "Deleting Blobs". */
export function blobRoutes(blobs: BlobStore): readonly Route[] {
  const path = /^\/v2\/(?<name>.+)\/blobs\/(?<digest>[^/]+)$/;
  return [
    {
      methods: ['GET', 'HEAD'],
      path,
      answer: (request, { name, digest }) =>
        pull(request, { name: requireName(name), digest: requireDigest(digest) }, blobs),
    },
    {
      methods: ['DELETE'],
      path,
      answer(_request, { name, digest }) {
        if (blobs.remove(requireName(name), requireDigest(digest))) return { status: 202 };
        throw unknown(digest);
      },
    },
  ];
}

interface Wanted {
  readonly name: string;
  readonly digest: Digest;
}

function pull(request: SandboxRequest, { name, digest }: Wanted, blobs: BlobStore): SandboxReply {
  const size = blobs.sizeOf(name, digest);
  if (size === undefined) throw unknown(digest);
  const headers = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    etag: `"${digest}"`,
  };
  const range = request.method === 'GET' ? readRange(request.headers.range, size) : undefined;
  if (range === undefined)
    return { status: 200, headers: { ...headers, 'content-length': String(size) }, body: blobs.open(digest) };
  if (range === 'unsatisfiable')
    throw registryError('SIZE_INVALID', 'the range is not in the blob', {
      status: 416,
      headers: { 'content-range': `bytes */${size}` },
    });
  return {
    status: 206,
    headers: {
      ...headers,
      'content-range': `bytes ${range.first}-${range.last}/${size}`,
      'content-length': String(range.last - range.first + 1),
    },
    body: blobs.open(digest, range),
  };
}

/** RFC 9110, section 14.1.2, one range. A header of another form is ignored, as the RFC allows. */
function readRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const suffix = Math.min(Number(last), size);
    return suffix === 0 ? 'unsatisfiable' : { first: size - suffix, last: size - 1 };
  }
  const range = { first: Number(first), last: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
  if (last !== '' && Number(last) < range.first) return undefined;
  return range.first >= size ? 'unsatisfiable' : range;
}

function unknown(digest: string | undefined): Error {
  return registryError('BLOB_UNKNOWN', 'blob unknown to registry', { detail: { digest } });
}
