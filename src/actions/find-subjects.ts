import { BoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { listImages } from '../image/choose-platform.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Platform } from '../oci/platform.ts';
import type { Source } from '../source/source.ts';
import { descriptorOf, findSubject } from './open-image.ts';

/** One thing to sign. */
export interface Subject {
  readonly descriptor: Descriptor;
  /** As the index says, of an image in it. */
  readonly platform?: Platform;
  /** Found in the index that was named, and not itself named. */
  readonly isWithin: boolean;
}

interface SubjectOptions {
  readonly platform?: Platform;
  /** The images of an index too. */
  readonly recursive?: boolean;
}

/**
 * What is signed: the image or index named, or one image of the index, or the index and then every image in it. All of them
 * have been read, so that what is not there is found out before anything is signed.
 *
 * @throws BoltsealError USAGE, LIMIT_EXCEEDED, PLATFORM_NOT_FOUND, and the source's codes
 */
export async function findSubjects(
  source: Source,
  { platform, recursive = false }: SubjectOptions,
): Promise<readonly Subject[]> {
  if (recursive && platform !== undefined)
    throw new BoltsealError('USAGE', '--recursive means every platform, and --platform means one', {
      hint: 'Leave one of the two out.',
    });
  const named: Subject = { descriptor: await findSubject(source, platform), isWithin: false };
  return recursive ? [named, ...(await findWithin(source, named.descriptor))] : [named];
}

async function findWithin(source: Source, { digest }: Descriptor): Promise<readonly Subject[]> {
  const { manifest } = await source.readManifest(digest);
  if (manifest.kind === 'image') return [];
  const images = await listImages(source, manifest);
  if (images.length > LIMITS.imagesPerIndex)
    throw new BoltsealError(
      'LIMIT_EXCEEDED',
      `${digest} is an index of ${images.length} images, more than ${LIMITS.imagesPerIndex}`,
      { hint: 'Sign the images that are deployed by their digests.' },
    );
  const found: Subject[] = [];
  for (const image of images) {
    const descriptor = descriptorOf(await source.readManifest(image.digest));
    found.push({ descriptor, ...(image.platform === undefined ? {} : { platform: image.platform }), isWithin: true });
  }
  return found;
}
