import type { Readable } from 'node:stream';
import type { Context } from '../../base/context.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestOf, type Digest } from '../../oci/digest.ts';
import { artifactTypeOf, parseManifest, type Manifest } from '../../oci/manifest.ts';
import type { RegistryReference } from '../../oci/reference.ts';
import type { WritableSource } from '../source.ts';
import type { Credential } from './credential.ts';
import { registryOrigin } from './endpoint.ts';
import { listReferrers } from './list-referrers.ts';
import { putManifest, readManifest, resolveTag } from './manifests.ts';
import { pullBlob } from './pull-blob.ts';
import { pushBlob } from './push-blob.ts';
import { askReferrersApi } from './referrers-api.ts';
import { createRepositoryClient, type RepositoryClient } from './repository-client.ts';
import { openRegistrySession, type RegistrySession } from './session.ts';
import { addToFallbackIndex } from './update-fallback.ts';

export interface RegistryOptions {
  /** True: plain HTTP although the registry is not this machine. False: TLS although it is. */
  readonly plainHttp?: boolean;
  /** Instead of what is stored for the registry. */
  readonly credential?: Credential;
  /** Connections and tokens to share with other references; the caller closes it. */
  readonly session?: RegistrySession;
}

/** A repository of a registry, by distribution-spec 1.1.1. No request is made until something is asked. */
export function openRegistry(reference: RegistryReference, options: RegistryOptions, context: Context): WritableSource {
  const { host, repository } = reference;
  const session = options.session ?? openRegistrySession(context);
  const origin = registryOrigin(host, options.plainHttp);
  const client = createRepositoryClient({ host, repository, origin, credential: options.credential }, session, context);
  return {
    reference,
    resolve: async () => reference.digest ?? resolveTag(client, reference.tag ?? 'latest', context),
    readManifest: (digest: Digest) => readManifest(client, digest, context),
    readBlob: (descriptor: Descriptor) => pullBlob(client, descriptor, context),
    listReferrers: (subject: Digest, filter = {}) => listReferrers(client, { subject, ...filter }, context),
    writeBlob: (blob: Descriptor, open: () => Readable | Uint8Array) => pushBlob(client, { blob, open }, context),
    writeManifest: (bytes: Uint8Array, { tag } = {}) => writeManifest(client, { bytes, tag }, context),
    async [Symbol.asyncDispose]() {
      if (options.session === undefined) await session[Symbol.asyncDispose]();
    },
  };
}

interface ManifestWrite {
  readonly bytes: Uint8Array;
  readonly tag: string | undefined;
}

async function writeManifest(
  client: RepositoryClient,
  { bytes, tag }: ManifestWrite,
  context: Context,
): Promise<Descriptor> {
  const manifest = parseManifest(bytes, undefined, 'the manifest to be written');
  const { mediaType } = manifest;
  const descriptor: Descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
  const listed = await putManifest(client, { bytes, mediaType, reference: tag ?? descriptor.digest });
  const subject = manifest.subject?.digest;
  if (subject === undefined || listed === subject) return descriptor;
  // No OCI-Subject: some registries have the API and do not say so. Where the referrer is not on the list, put it there.
  const answer = await askReferrersApi(client, { subject }, context);
  if (answer.kind === 'listed' && answer.referrers.some(({ digest }) => digest === descriptor.digest))
    return descriptor;
  await addToFallbackIndex(client, { subject, entry: referrerEntry(descriptor, manifest) }, context);
  return descriptor;
}

/** What a list says of a referrer: its type, and all its annotations. */
function referrerEntry(descriptor: Descriptor, manifest: Manifest): Descriptor {
  const artifactType = artifactTypeOf(manifest);
  const annotated = Object.keys(manifest.annotations).length > 0;
  return {
    ...descriptor,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotated ? { annotations: manifest.annotations } : {}),
  };
}
