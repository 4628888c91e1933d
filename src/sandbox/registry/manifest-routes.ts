import { messageOf } from '../../base/errors.ts';
import { algorithmOf, digestOf, isDigest, type Digest } from '../../oci/digest.ts';
import { parseManifest, type Manifest } from '../../oci/manifest.ts';
import { isImageManifestType, isIndexType } from '../../oci/media-types.ts';
import { readBody, type Route, type SandboxReply, type SandboxRequest } from '../http/message.ts';
import type { BlobStore } from './blob-store.ts';
import type { ManifestStore } from './manifest-store.ts';
import { isTag, requireName } from './names.ts';
import { registryError, registryReply } from './registry-error.ts';

interface Stores {
  readonly blobs: BlobStore;
  readonly manifests: ManifestStore;
  readonly referrersApi: boolean;
}

/** What every registry takes at least, and this one at most: distribution-spec 1.1.1, "Pushing Manifests". */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

const MAX_TAG_PARAMETERS = 64;

interface Place {
  readonly name: string;
  readonly reference: string;
}

/** distribution-spec 1.1.1, "Pulling manifests", "Pushing Manifests", "Deleting Tags" and "Deleting Manifests". */
export function manifestRoutes(stores: Stores): readonly Route[] {
  const path = /^\/v2\/(?<name>.+)\/manifests\/(?<reference>[^/]+)$/;
  const at =
    (answer: (request: SandboxRequest, place: Place) => Promise<SandboxReply> | SandboxReply): Route['answer'] =>
    (request, { name, reference = '' }) =>
      answer(request, { name: requireName(name), reference });
  return [
    { methods: ['GET', 'HEAD'], path, answer: at((_request, place) => pull(place, stores)) },
    { methods: ['PUT'], path, answer: at((request, place) => push(request, place, stores)) },
    { methods: ['DELETE'], path, answer: at((_request, place) => remove(place, stores)) },
  ];
}

function pull({ name, reference }: Place, { manifests }: Stores): SandboxReply {
  checkReference(reference);
  const found = manifests.get(name, reference);
  if (found === undefined) throw unknown({ name, reference }, manifests);
  return {
    status: 200,
    headers: {
      'content-type': found.manifest.mediaType,
      'docker-content-digest': found.digest,
      etag: `"${found.digest}"`,
    },
    body: found.bytes,
  };
}

async function push(request: SandboxRequest, { name, reference }: Place, stores: Stores): Promise<SandboxReply> {
  checkReference(reference);
  const tooLarge = registryReply('SIZE_INVALID', 'manifests have at most 4 MiB here', { status: 413 });
  const bytes = await readBody(request.stream, MAX_MANIFEST_BYTES, tooLarge);
  const manifest = readManifest(bytes, request.headers['content-type']);
  const digest = digestOf(bytes, isDigest(reference) ? algorithmOf(reference) : 'sha256');
  if (isDigest(reference) && reference !== digest)
    throw registryError('DIGEST_INVALID', 'provided digest did not match uploaded content', {
      detail: { found: digest },
    });
  checkParts(manifest, name, stores);
  const tags = isDigest(reference) ? tagParameters(request.url) : [reference];
  stores.manifests.put(name, { digest, bytes, manifest }, tags);
  const subject = stores.referrersApi ? manifest.subject?.digest : undefined;
  return {
    status: 201,
    headers: {
      location: `/v2/${name}/manifests/${digest}`,
      'docker-content-digest': digest,
      ...(subject === undefined ? {} : { 'oci-subject': subject }),
      ...(isDigest(reference) && tags.length > 0 ? { 'oci-tag': tags } : {}),
    },
  };
}

/** `?tag=a&tag=b` on a push by digest, of the specification's main branch. */
function tagParameters({ searchParams }: URL): readonly string[] {
  const tags = searchParams.getAll('tag');
  if (tags.length > MAX_TAG_PARAMETERS)
    throw registryError('TAG_INVALID', `at most ${MAX_TAG_PARAMETERS} tags at a time`, { status: 414 });
  const wrong = tags.find((tag) => !isTag(tag));
  if (wrong !== undefined) throw registryError('TAG_INVALID', 'the parameter is not a tag', { detail: wrong });
  return tags;
}

function readManifest(bytes: Uint8Array, contentType: string | undefined): Manifest {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (!isIndexType(type) && !isImageManifestType(type))
    throw registryError('MANIFEST_INVALID', `manifests of type "${type}" are not taken here`, { status: 415 });
  try {
    return parseManifest(bytes, type, 'the manifest');
  } catch (error) {
    throw registryError('MANIFEST_INVALID', messageOf(error));
  }
}

/** What a manifest names must be there. Its subject need not be; nor a layer that is fetched from elsewhere. */
function checkParts(manifest: Manifest, name: string, { blobs, manifests }: Stores): void {
  const missing: readonly Digest[] =
    manifest.kind === 'index'
      ? manifest.manifests.filter(({ digest }) => manifests.get(name, digest) === undefined).map(({ digest }) => digest)
      : [manifest.config, ...manifest.layers.filter(({ urls = [] }) => urls.length === 0)]
          .filter(({ digest }) => blobs.sizeOf(name, digest) === undefined)
          .map(({ digest }) => digest);
  if (missing.length > 0)
    throw registryError('MANIFEST_BLOB_UNKNOWN', 'the manifest names what is not here', { detail: missing });
}

function remove({ name, reference }: Place, { manifests }: Stores): SandboxReply {
  checkReference(reference);
  const removed = isDigest(reference)
    ? manifests.removeManifest(name, reference)
    : manifests.removeTag(name, reference);
  if (!removed) throw unknown({ name, reference }, manifests);
  return { status: 202 };
}

function checkReference(reference: string): void {
  if (isDigest(reference) || isTag(reference)) return;
  const code = reference.includes(':') ? 'DIGEST_INVALID' : 'TAG_INVALID';
  throw registryError(code, 'the reference is neither a tag nor a digest', { detail: reference });
}

function unknown({ name, reference }: Place, manifests: ManifestStore): Error {
  if (!manifests.hasRepository(name))
    return registryError('NAME_UNKNOWN', 'repository name not known to registry', { detail: { name } });
  return registryError('MANIFEST_UNKNOWN', 'manifest unknown', { detail: { reference } });
}
