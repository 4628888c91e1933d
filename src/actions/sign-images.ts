import type { Context } from '../base/context.ts';
import { COSIGN_SIGN_PREDICATE_TYPE } from '../intoto/predicate-types.ts';
import { signatureStatement } from '../sign/statements.ts';
import type { StatementSigner } from '../sign/signer.ts';
import type { WritableSource } from '../source/source.ts';
import { checkOutput, type BundleOutput } from './bundle-output.ts';
import { signOnto, type SignedImage } from './attached.ts';
import { findSubjects, type Subject } from './find-subjects.ts';
import { formatPinned, openWritable, withoutVersion, shareSession, type ImageOptions } from './open-image.ts';
import { openRepeatRules, type RepeatOptions, type RepeatRules } from './open-repeat-rules.ts';
import { checkOneRegistry } from './one-registry.ts';
import { openSigner, type SigningOptions } from './open-signer.ts';

export interface SignOptions extends ImageOptions, RepeatOptions, BundleOutput {
  readonly signing: SigningOptions;
  /** Said in the signed statement. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Of an index, every image in it too. */
  readonly recursive?: boolean;
}

/**
 * Signs images: resolve → statement → sign → attach, one after the other, with one certificate. What was signed before an
 * error stays signed. What the same signer has signed before is reported, and not signed again.
 *
 * @throws BoltsealError the codes of references, registries and signing
 */
export async function signImages(
  images: readonly string[],
  options: SignOptions,
  context: Context,
): Promise<readonly SignedImage[]> {
  checkOutput(options, images.length === 1 && options.recursive !== true);
  const repeat = await openRepeatRules(options, options.signing);
  await checkOneRegistry(images, options, context);
  const signer = await openSigner(options.signing, context);
  await using shared = shareSession(options, context);
  const signed: SignedImage[] = [];
  for (const image of images) signed.push(...(await signImage(image, { signer, repeat }, shared, context)));
  return signed;
}

interface Signing {
  readonly signer: StatementSigner;
  readonly repeat: RepeatRules;
}

async function signImage(
  image: string,
  signing: Signing,
  options: SignOptions,
  context: Context,
): Promise<readonly SignedImage[]> {
  await using target = await openWritable(image, options, context);
  const signed: SignedImage[] = [];
  for (const subject of await findSubjects(target, options)) {
    const { digest } = subject.descriptor;
    const statement = {
      bytes: signatureStatement(digest, options.annotations),
      predicateType: COSIGN_SIGN_PREDICATE_TYPE,
    };
    const bundle = await signOnto(target, subject.descriptor, { statement, ...signing, output: options }, context);
    signed.push({ ...nameSubject(target, subject), bundle });
  }
  return signed;
}

function nameSubject(
  { reference }: WritableSource,
  { descriptor, platform, isWithin }: Subject,
): Omit<SignedImage, 'bundle'> {
  const { digest } = descriptor;
  // A tag stands for the index, and not for what is in it.
  const named = isWithin ? withoutVersion(reference) : reference;
  return { reference: formatPinned(named, digest), digest, ...(platform === undefined ? {} : { platform }) };
}
