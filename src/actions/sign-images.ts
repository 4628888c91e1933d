import type { Context } from '../base/context.ts';
import { COSIGN_SIGN_PREDICATE_TYPE } from '../intoto/predicate-types.ts';
import { signatureStatement } from '../sign/statements.ts';
import type { StatementSigner } from '../sign/signer.ts';
import { signAndAttach, type SignedImage } from './attached.ts';
import { findSubject, formatPinned, openWritable, shareSession, type ImageOptions } from './open-image.ts';
import { checkOneRegistry } from './one-registry.ts';
import { openSigner, type SigningOptions } from './open-signer.ts';

export interface SignOptions extends ImageOptions {
  readonly signing: SigningOptions;
  /** Said in the signed statement. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Signs images: resolve → statement → sign → attach, one after the other, with one certificate. What was signed before an
 * error stays signed.
 *
 * @throws BoltsealError the codes of references, registries and signing
 */
export async function signImages(
  images: readonly string[],
  options: SignOptions,
  context: Context,
): Promise<readonly SignedImage[]> {
  await checkOneRegistry(images, options, context);
  const signer = await openSigner(options.signing, context);
  await using shared = shareSession(options, context);
  const signed: SignedImage[] = [];
  for (const image of images) signed.push(await signImage(image, signer, shared, context));
  return signed;
}

async function signImage(
  image: string,
  signer: StatementSigner,
  options: SignOptions,
  context: Context,
): Promise<SignedImage> {
  await using target = await openWritable(image, options, context);
  const subject = await findSubject(target, options.platform);
  const statement = {
    bytes: signatureStatement(subject.digest, options.annotations),
    predicateType: COSIGN_SIGN_PREDICATE_TYPE,
  };
  const bundle = await signAndAttach(target, subject, { statement, signer }, context);
  return { reference: formatPinned(target.reference, subject.digest), digest: subject.digest, bundle };
}
