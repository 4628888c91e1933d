import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { choosePlatform } from '../image/choose-platform.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/platform.ts';
import { formatReference, repositoryName, type Reference } from '../oci/reference.ts';
import { openSource } from '../source/open.ts';
import { recogniseReference } from '../source/recognise.ts';
import type { RegistryOptions } from '../source/registry/registry.ts';
import { openRegistrySession } from '../source/registry/session.ts';
import {
  isWritable,
  type ManifestReader,
  type ReferrerLister,
  type Source,
  type WritableSource,
} from '../source/source.ts';

/** How registries are spoken to: see RegistryOptions of `source`. */
export type RegistryAccess = RegistryOptions;

export interface ImageOptions {
  readonly registry?: RegistryAccess;
  /** Which image of an index. */
  readonly platform?: Platform;
}

export interface SharedSession extends AsyncDisposable {
  readonly registry: RegistryAccess;
}

/** The same options with connections and tokens that every image of a run shares. Whoever asks for them disposes of them. */
export function shareSession<Options extends object>(
  options: Options & ImageOptions,
  context: Context,
): Options & SharedSession {
  const { registry = {} } = options;
  const session = registry.session ?? openRegistrySession(registry, context);
  return {
    ...options,
    registry: { ...registry, session },
    async [Symbol.asyncDispose]() {
      if (registry.session === undefined) await session[Symbol.asyncDispose]();
    },
  };
}

/** Opens what a person named: a reference, or a path that exists. @throws BoltsealError, see `openSource` */
export async function openImage(text: string, options: ImageOptions, context: Context): Promise<Source> {
  return openReference(await nameImage(text, context), options, context);
}

/** What a person named; how a path was read is told. @throws BoltsealError, see `recogniseReference` */
export async function nameImage(text: string, context: Context): Promise<Reference> {
  const { reference, how } = await recogniseReference(text, context);
  if (how !== undefined) context.emit({ kind: 'step', message: how });
  return reference;
}

/** @throws BoltsealError, see `openSource` */
export function openReference(reference: Reference, { registry }: ImageOptions, context: Context): Promise<Source> {
  return openSource(reference, registry === undefined ? {} : { registry }, context);
}

/**
 * Opens something that can hold what refers to it, to write to: what its name stands for is asked of the registry itself,
 * not of a mirror that may lag behind.
 *
 * @throws BoltsealError NOT_WRITABLE, and see `openImage`
 */
export async function openWritable(text: string, options: ImageOptions, context: Context): Promise<WritableSource> {
  const source = await openImage(text, { ...options, registry: { ...options.registry, mirrors: false } }, context);
  if (isWritable(source)) return source;
  await source[Symbol.asyncDispose]();
  throw new BoltsealError('NOT_WRITABLE', `nothing can be attached to ${formatReference(source.reference)}`, {
    hint: 'Name an image in a registry, or in an OCI layout folder (oci:DIR).',
  });
}

/** What refers to an image can be read there, though perhaps nothing can be added: a registry, a layout, an OCI archive. */
export type ReferrerSource = Source & ReferrerLister;

/** Opens something to read what refers to it, from mirrors too. @throws BoltsealError NOT_WRITABLE, and see `openImage` */
export async function openReferrers(text: string, options: ImageOptions, context: Context): Promise<ReferrerSource> {
  const source = await openImage(text, options, context);
  if (listsReferrers(source)) return source;
  await source[Symbol.asyncDispose]();
  throw new BoltsealError('NOT_WRITABLE', `nothing can refer to ${formatReference(source.reference)}`, {
    hint: 'Name an image in a registry, in an OCI layout folder (oci:DIR) or in an archive of one (oci-archive:FILE).',
  });
}

function listsReferrers(source: Source): source is ReferrerSource {
  return 'listReferrers' in source && typeof source.listReferrers === 'function';
}

/** What is signed or attached to: the image or index named, or with a platform that image of the index. */
export async function findSubject(source: Source, platform: Platform | undefined): Promise<Descriptor> {
  const digest = await source.resolve();
  const stored = await source.readManifest(digest);
  if (platform === undefined || stored.manifest.kind === 'image') return descriptorOf(stored);
  return descriptorOf(await choosePlatform(source, { index: stored.manifest, digest }, platform));
}

/** What stands for a manifest that was read. */
export function descriptorOf({
  digest,
  bytes,
  manifest,
}: Awaited<ReturnType<ManifestReader['readManifest']>>): Descriptor {
  return { mediaType: manifest.mediaType, digest, size: bytes.length };
}

/** The name a statement and a policy know an image by: its repository, or the path of what is no registry. */
export function subjectName(reference: Reference): string {
  return reference.kind === 'registry' ? repositoryName(reference) : formatReference(withoutVersion(reference));
}

/** The place alone, without a tag or digest in it. */
export function withoutVersion(reference: Reference): Reference {
  if (reference.kind === 'registry') {
    const { tag: _tag, digest: _digest, ...place } = reference;
    return place;
  }
  if (reference.kind === 'layout') return { kind: 'layout', path: reference.path };
  return reference.kind === 'archive' ? { kind: 'archive', format: reference.format, path: reference.path } : reference;
}

/** The reference with its digest: what a command says it did something to. */
export function formatPinned(reference: Reference, digest: Digest): string {
  return reference.kind === 'registry' || reference.kind === 'layout'
    ? formatReference({ ...reference, digest })
    : formatReference(reference);
}
