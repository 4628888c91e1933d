import type { Context } from '../base/context.ts';
import type { Reference } from '../oci/reference.ts';
import { openLocal } from './open-local.ts';
import { openMirrored } from './registry/open-mirrored.ts';
import type { RegistryOptions } from './registry/registry.ts';
import type { Source } from './source.ts';

export interface OpenOptions {
  readonly registry?: RegistryOptions;
}

/**
 * Opens what a reference names. The caller disposes of it.
 *
 * @throws BoltsealError REFERENCE_INVALID when this kind of reference cannot be read here, and the source's own codes
 */
export async function openSource(reference: Reference, options: OpenOptions, context: Context): Promise<Source> {
  return reference.kind === 'registry'
    ? openMirrored(reference, options.registry ?? {}, context)
    : openLocal(reference, context);
}
