import type { Context } from '../base/context.ts';
import type { Digest } from '../oci/digest.ts';
import { filterTree, type TreeFilter } from '../referrers/filter-tree.ts';
import { readImageTree, type ImageTreeNode } from '../referrers/image-tree.ts';
import { findSubject, formatPinned, openReferrers, type ImageOptions } from './open-image.ts';

export interface DiscoverOptions extends ImageOptions {
  /** Levels below the image. */
  readonly depth?: number;
  readonly filter?: TreeFilter;
}

export interface Discovery {
  readonly reference: string;
  readonly digest: Digest;
  readonly tree: ImageTreeNode;
}

/** Everything that hangs on an image, at every level. @throws BoltsealError the codes of references and registries */
export async function discoverImage(
  image: string,
  { depth, filter = {}, ...options }: DiscoverOptions,
  context: Context,
): Promise<Discovery> {
  await using source = await openReferrers(image, options, context);
  const { digest } = await findSubject(source, options.platform);
  const tree = await readImageTree(source, digest, depth === undefined ? {} : { depth });
  return { reference: formatPinned(source.reference, digest), digest, tree: filterTree(tree, filter) };
}
