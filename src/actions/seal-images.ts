import type { Context } from '../base/context.ts';
import { COSIGN_SIGN_PREDICATE_TYPE, CYCLONEDX_PREDICATE_TYPE } from '../intoto/predicate-types.ts';
import type { Digest } from '../oci/digest.ts';
import { attestationStatement, makePredicate, signatureStatement } from '../sign/statements.ts';
import type { StatementSigner } from '../sign/signer.ts';
import { signAndAttach, type AttachedBundle } from './attached.ts';
import { bomOf } from './generate-bom.ts';
import { findSubject, formatPinned, openWritable, shareSession, subjectName, type ImageOptions } from './open-image.ts';
import { openRepeatRules, type RepeatOptions, type RepeatRules } from './open-repeat-rules.ts';
import { checkOneRegistry } from './one-registry.ts';
import { openSigner, type SigningOptions } from './open-signer.ts';

export interface SealOptions extends ImageOptions, RepeatOptions {
  readonly signing: SigningOptions;
}

export interface SealedImage {
  /** As it was named, with the digest that the name meant. */
  readonly reference: string;
  readonly digest: Digest;
  readonly sbom: { readonly packages: number; readonly unknowns: number; readonly sizeBytes: number };
  readonly signature: AttachedBundle;
  readonly attestation: AttachedBundle;
}

/**
 * Seals images, one after the other, with one certificate: SBOM → signed attestation of it, signature of the image, both
 * attached. The SBOM is written first: an image that cannot be read is not signed.
 *
 * @throws BoltsealError the codes of references, registries, layers and signing
 */
export async function sealImages(
  images: readonly string[],
  options: SealOptions,
  context: Context,
): Promise<readonly SealedImage[]> {
  const repeat = await openRepeatRules(options, options.signing);
  await checkOneRegistry(images, options, context);
  const signer = await openSigner(options.signing, context);
  await using shared = shareSession(options, context);
  const sealed: SealedImage[] = [];
  for (const image of images) sealed.push(await sealImage(image, { signer, repeat }, shared, context));
  return sealed;
}

interface Signing {
  readonly signer: StatementSigner;
  readonly repeat: RepeatRules;
}

async function sealImage(
  image: string,
  signing: Signing,
  options: SealOptions,
  context: Context,
): Promise<SealedImage> {
  await using target = await openWritable(image, options, context);
  const subject = await findSubject(target, options.platform);
  const bom = await bomOf(target, subject.digest, options, context);
  const predicate = makePredicate('cyclonedx', bom.bytes, context);
  const about = { name: subjectName(target.reference), digest: subject.digest };
  const attestation = { bytes: attestationStatement(about, predicate), predicateType: CYCLONEDX_PREDICATE_TYPE };
  const signature = { bytes: signatureStatement(subject.digest), predicateType: COSIGN_SIGN_PREDICATE_TYPE };
  return {
    reference: formatPinned(target.reference, subject.digest),
    digest: subject.digest,
    sbom: {
      packages: bom.inventory.packages.length,
      unknowns: bom.inventory.unknowns.length,
      sizeBytes: bom.bytes.length,
    },
    signature: await signAndAttach(target, subject, { statement: signature, ...signing }, context),
    attestation: await signAndAttach(target, subject, { statement: attestation, ...signing }, context),
  };
}
