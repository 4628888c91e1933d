import type { Context } from '../base/context.ts';
import { LIMITS } from '../base/limits.ts';
import { attestationStatement } from '../sign/statements.ts';
import { checkOutput, type BundleOutput } from './bundle-output.ts';
import { signOnto, type SignedImage } from './attached.ts';
import { findSubject, formatPinned, openWritable, subjectName, type ImageOptions } from './open-image.ts';
import { openRepeatRules, type RepeatOptions } from './open-repeat-rules.ts';
import { openSigner, type SigningOptions } from './open-signer.ts';
import { readLocalFile } from './read-file.ts';
import { readPredicate } from './read-predicate.ts';

export interface AttestOptions extends ImageOptions, RepeatOptions, BundleOutput {
  readonly signing: SigningOptions;
  /** Short name or URI of the predicate type; told from the predicate when absent. */
  readonly type?: string;
  readonly predicate: { readonly file: string } | { readonly bytes: Uint8Array };
}

/**
 * Signs a statement about an image: predicate → statement → sign → attach. A predicate that is not what its type says is
 * refused before anything is sent.
 *
 * @throws BoltsealError USAGE, STATEMENT_INVALID, JSON_INVALID and the codes of references, registries and signing
 */
export async function attestImage(image: string, options: AttestOptions, context: Context): Promise<SignedImage> {
  checkOutput(options, true);
  const content =
    'bytes' in options.predicate
      ? options.predicate.bytes
      : await readLocalFile(options.predicate.file, 'the predicate', LIMITS.bundleBytes);
  const predicate = readPredicate(options.type, content, context);
  const repeat = await openRepeatRules(options, options.signing);
  await using target = await openWritable(image, options, context);
  const signer = await openSigner(options.signing, context);
  const subject = await findSubject(target, options.platform);
  const bytes = attestationStatement({ name: subjectName(target.reference), digest: subject.digest }, predicate);
  const bundle = await signOnto(
    target,
    subject,
    { statement: { bytes, predicateType: predicate.type }, signer, repeat, output: options },
    context,
  );
  return { reference: formatPinned(target.reference, subject.digest), digest: subject.digest, bundle };
}
