import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import { openLayout } from './layout.ts';
import { openLocal } from './open-local.ts';
import { openRegistry, type RegistryOptions } from './registry/registry.ts';
import type { Source, WritableSource } from './source.ts';

export interface OpenOptions {
  readonly registry?: RegistryOptions;
}

/**
 * Opens what a reference names. The caller disposes of it.
 *
 * @throws BoltsealError USAGE for an engine or a folder, and what the source itself throws
 */
export async function openSource(reference: Reference, options: OpenOptions, context: Context): Promise<Source> {
  if (reference.kind === 'registry') return openRegistry(reference, options.registry ?? {}, context);
  return openLocal(reference, context);
}

/**
 * Opens a source that can hold what refers to an image.
 *
 * @throws BoltsealError NOT_WRITABLE for archives and the like
 */
export async function openWritable(
  reference: Reference,
  options: OpenOptions,
  context: Context,
): Promise<WritableSource> {
  const { kind } = reference;
  if (kind === 'registry') return openRegistry(reference, options.registry ?? {}, context);
  if (kind === 'layout') return openLayout(reference, context);
  throw new BoltsealError('NOT_WRITABLE', `nothing can be attached to ${formatReference(reference)}`, {
    hint: 'Push the image to a registry, or copy it into an OCI layout (oci:DIR), and name that.',
  });
}
