import type { Context } from '../../src/base/context.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { digestOf, type Digest } from '../../src/oci/digest.ts';
import { MEDIA_TYPES } from '../../src/oci/media-types.ts';
import { parseRegistryReference } from '../../src/oci/reference.ts';
import { openRegistry, type RegistryOptions } from '../../src/source/registry/registry.ts';
import type { WritableSource } from '../../src/source/source.ts';
import { testContext } from './context.ts';

/** `acme/app` in a registry of this machine. */
export function openAt(
  host: string,
  {
    suffix = '',
    options = {},
    context = testContext(),
  }: { suffix?: string; options?: RegistryOptions; context?: Context } = {},
): WritableSource {
  return openRegistry(parseRegistryReference(`${host}/acme/app${suffix}`), options, context);
}

export function blobOf(text: string | Uint8Array): { readonly descriptor: Descriptor; readonly bytes: Uint8Array } {
  const bytes = Buffer.from(text as string);
  const descriptor = { mediaType: 'application/octet-stream', digest: digestOf(bytes), size: bytes.length };
  return { descriptor, bytes };
}

/** The bytes of a small image manifest that differs by `name`. */
export function imageManifest(name: string, more: Readonly<Record<string, unknown>> = {}): Uint8Array {
  const config = blobOf('{}').descriptor;
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: { ...config, mediaType: MEDIA_TYPES.ociConfig },
    layers: [],
    annotations: { name },
    ...more,
  };
  return Buffer.from(JSON.stringify(manifest));
}

/** Pushes an image and returns its descriptor. */
export async function pushImage(source: WritableSource, name = 'image'): Promise<Descriptor> {
  const { descriptor, bytes } = blobOf('{}');
  await source.writeBlob(descriptor, () => bytes);
  return source.writeManifest(imageManifest(name), { tag: '1' });
}

/** The code of the error that a promise fails with; undefined when it does not fail. */
export async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => undefined,
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : `no code: ${String(error)}`),
  );
}

export const SOME_DIGEST = digestOf('nothing has this content') satisfies Digest;
