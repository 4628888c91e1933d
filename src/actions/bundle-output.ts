import { BoltsealError } from '../base/errors.ts';

/** Where a bundle goes beside, or instead of, the place where the image is. */
export interface BundleOutput {
  /** Written whole or not at all. */
  readonly bundleFile?: string;
  /** False: the bundle is in the file alone, for somebody to attach. */
  readonly upload?: boolean;
}

/** @throws BoltsealError USAGE for what would lose a bundle */
export function checkOutput({ bundleFile, upload = true }: BundleOutput, isForOne: boolean): void {
  if (!upload && bundleFile === undefined)
    throw new BoltsealError('USAGE', 'what is not uploaded and written nowhere would be lost', {
      hint: 'Say with --bundle FILE where the bundle goes.',
    });
  if (bundleFile !== undefined && !isForOne)
    throw new BoltsealError('USAGE', 'one file holds one bundle, and several things are to be signed', {
      hint: 'Sign one image at a time, without --recursive, when the bundle is wanted in a file.',
    });
}
