import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { recogniseReference } from '../source/recognise.ts';
import type { ImageOptions } from './open-image.ts';

/**
 * A password or token given for a run is for one registry; it is never shown to a second one.
 *
 * @throws BoltsealError USAGE when there is one and the images are in several registries, and see `recogniseReference`
 */
export async function checkOneRegistry(
  images: readonly string[],
  { registry }: ImageOptions,
  context: Context,
): Promise<void> {
  if (registry?.credential === undefined) return;
  const named = await Promise.all(images.map((image) => recogniseReference(image, context)));
  const hosts = new Set(named.flatMap(({ reference }) => (reference.kind === 'registry' ? [reference.host] : [])));
  if (hosts.size <= 1) return;
  throw new BoltsealError(
    'USAGE',
    `the credentials given are for one registry, and the images are in ${[...hosts].join(', ')}`,
    {
      hint: 'Name the images of one registry at a time, or log in to each with boltseal login.',
    },
  );
}
