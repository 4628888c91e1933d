import type { Context } from '../base/context.ts';
import type { Digest } from '../oci/digest.ts';
import { detachReferrer, type DetachedReferrer } from '../referrers/detach.ts';
import { formatPinned, openWritable, type ImageOptions } from './open-image.ts';

export interface DetachArtifactOptions extends Pick<ImageOptions, 'registry'> {
  /** Digest of the referrer's manifest. */
  readonly referrer: Digest;
  readonly recursive?: boolean;
}

export interface Detachment {
  /** The artifact, in the repository it was in. */
  readonly reference: string;
  /** In the order of removal. */
  readonly removed: readonly DetachedReferrer[];
}

/** Removes what was attached. @throws BoltsealError DELETE_REFUSED, USAGE, and the codes of references and registries */
export async function detachArtifact(
  image: string,
  { referrer, recursive = false, registry }: DetachArtifactOptions,
  context: Context,
): Promise<Detachment> {
  await using target = await openWritable(image, registry === undefined ? {} : { registry }, context);
  const removed = await detachReferrer(target, referrer, { recursive }, context);
  return { reference: formatPinned(target.reference, referrer), removed };
}
