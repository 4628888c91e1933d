import type { Context } from '../base/context.ts';
import type { Digest } from '../oci/digest.ts';
import { discoverReferrers, type ReferrerNode } from '../referrers/discover.ts';
import { findSubject, formatPinned, openReferrers, type ImageOptions } from './open-image.ts';

export interface Discovery {
  readonly reference: string;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly tree: ReferrerNode;
}

/** What refers to an image, and what refers to that. @throws BoltsealError the codes of references and registries */
export async function discoverImage(image: string, options: ImageOptions, context: Context): Promise<Discovery> {
  await using source = await openReferrers(image, options, context);
  const subject = await findSubject(source, options.platform);
  const tree = await discoverReferrers(source, subject.digest);
  return {
    reference: formatPinned(source.reference, subject.digest),
    digest: subject.digest,
    mediaType: subject.mediaType,
    tree,
  };
}
