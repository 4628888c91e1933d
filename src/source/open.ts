import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import { openRegistry, type RegistryOptions } from './registry/registry.ts';
import type { Source } from './source.ts';

export interface OpenOptions {
  readonly registry?: RegistryOptions;
}

type Opener<Kind extends Reference['kind']> = (
  reference: Extract<Reference, { kind: Kind }>,
  options: OpenOptions,
  context: Context,
) => Source | Promise<Source>;

/** One row per kind of reference. */
const OPENERS: { readonly [Kind in Reference['kind']]?: Opener<Kind> } = {
  registry: (reference, options, context) => openRegistry(reference, options.registry ?? {}, context),
};

/**
 * Opens what a reference names. The caller disposes of it.
 *
 * @throws BoltsealError REFERENCE_INVALID when this kind of reference cannot be read here, and the source's own codes
 */
export async function openSource(reference: Reference, options: OpenOptions, context: Context): Promise<Source> {
  // The table's type ties each row to its kind; TypeScript cannot follow that through an index.
  const open = OPENERS[reference.kind] as Opener<Reference['kind']> | undefined;
  if (open !== undefined) return open(reference, options, context);
  throw new BoltsealError('REFERENCE_INVALID', `${formatReference(reference)} cannot be read here`, {
    hint: 'Name an image in a registry: registry/repository:tag.',
  });
}
