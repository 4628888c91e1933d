import type { Readable } from 'node:stream';
import type { Context } from '../../base/context.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestOf, type Digest } from '../../oci/digest.ts';
import { parseManifest } from '../../oci/manifest.ts';
import type { RegistryReference } from '../../oci/reference.ts';
import { describeReferrer } from '../referrer-entry.ts';
import type { WritableSource } from '../source.ts';
import type { Credential } from './credential.ts';
import { deleteManifest, removeFromFallbackIndex } from './delete.ts';
import { registryOrigin } from './endpoint.ts';
import { listReferrers } from './list-referrers.ts';
import { putManifest, readManifest, resolveTag } from './manifests.ts';
import { mayMount, mountBlob } from './mount-blob.ts';
import { hasBlob, hasManifest } from './probe-content.ts';
import { pullBlob } from './pull-blob.ts';
import { pushBlob } from './push-blob.ts';
import { askReferrersApi } from './referrers-api.ts';
import { createRepositoryClient, type RepositoryClient } from './repository-client.ts';
import { openRegistrySession, type RegistrySession, type SessionOptions } from './session.ts';
import { findTag, listTags } from './tags.ts';
import type { TlsOptions } from './tls-identity.ts';
import { addToFallbackIndex } from './update-fallback.ts';

export interface RegistryOptions extends SessionOptions {
  /** True: plain HTTP although the registry is not this machine. False: TLS although it is. */
  readonly plainHttp?: boolean;
  /** Instead of what is stored for the registry. */
  readonly credential?: Credential;
  /** Looks at the list of referrers even when the registry says that it has added one: some have said so without doing it. */
  readonly confirmReferrers?: boolean;
  readonly tls?: TlsOptions;
  /** False: the registry itself is asked, as for what is about to be written; its mirrors are left out. */
  readonly mirrors?: boolean;
  /** Connections and tokens to share with other references; the caller closes it. */
  readonly session?: RegistrySession;
}

/** A repository of a registry, by distribution-spec 1.1.1. No request is made until something is asked. @throws BoltsealError FILE_NOT_FOUND (a certificate) */
export function openRegistry(reference: RegistryReference, options: RegistryOptions, context: Context): WritableSource {
  const { host, repository } = reference;
  const session = options.session ?? openRegistrySession(options, context);
  const origin = registryOrigin(host, options.plainHttp);
  if (options.tls !== undefined) session.tls.use(origin, options.tls);
  const client = createRepositoryClient({ host, repository, origin, credential: options.credential }, session, context);
  return {
    reference,
    resolve: async () => reference.digest ?? resolveTag(client, reference.tag ?? 'latest', context),
    readManifest: (digest: Digest) => readManifest(client, digest, context),
    readBlob: (descriptor: Descriptor) => pullBlob(client, descriptor, context),
    listReferrers: (subject: Digest, filter = {}) => listReferrers(client, { subject, ...filter }, context),
    writeBlob: (blob: Descriptor, open: () => Readable | Uint8Array) => pushBlob(client, { blob, open }, context),
    writeManifest: (bytes: Uint8Array, { tag } = {}) =>
      writeManifest(client, { bytes, tag, confirm: options.confirmReferrers ?? false }, context),
    findTag: (tag) => findTag(client, tag, context),
    listTags: () => listTags(client, context),
    hasManifest: (digest) => hasManifest(client, digest),
    hasBlob: (blob) => hasBlob(client, blob),
    async mountBlob(blob, from) {
      const hasOwnCredential = options.credential !== undefined;
      return (await mayMount(client, from, { session, hasOwnCredential })) && mountBlob(client, blob, from);
    },
    unlistReferrer: (subject, referrer) => removeFromFallbackIndex(client, { subject, referrer }, context),
    deleteManifest: (digest) => deleteManifest(client, digest, context),
    async [Symbol.asyncDispose]() {
      if (options.session === undefined) await session[Symbol.asyncDispose]();
    },
  };
}

interface ManifestWrite {
  readonly bytes: Uint8Array;
  readonly tag: string | undefined;
  readonly confirm: boolean;
}

async function writeManifest(
  client: RepositoryClient,
  { bytes, tag, confirm }: ManifestWrite,
  context: Context,
): Promise<Descriptor> {
  const manifest = parseManifest(bytes, undefined, 'the manifest to be written');
  const { mediaType } = manifest;
  const digest = digestOf(bytes);
  const descriptor: Descriptor = { mediaType, digest, size: bytes.length };
  const listedFor = await putManifest(client, { bytes, mediaType, reference: tag ?? digest });
  const subject = manifest.subject?.digest;
  if (subject === undefined || (listedFor === subject && !confirm)) return descriptor;
  // No OCI-Subject: some registries have the API and do not say so. Where the referrer is not on the list, put it there.
  const answer = await askReferrersApi(client, { subject }, context);
  if (answer.kind === 'listed' && answer.referrers.some((listed) => listed.digest === digest)) return descriptor;
  await addToFallbackIndex(client, { subject, entry: describeReferrer({ digest, bytes, manifest }) }, context);
  return descriptor;
}
