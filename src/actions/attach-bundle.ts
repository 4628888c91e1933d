import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { isAbout } from '../intoto/statement.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { bundleArtifact } from '../referrers/artifact.ts';
import { attachArtifact } from '../referrers/attach.ts';
import { listBundles } from '../referrers/bundles.ts';
import type { WritableSource } from '../source/source.ts';
import { readClaims, type BundleClaims } from '../verify/claims.ts';
import { Rejected, toRejection } from '../verify/rejection.ts';
import { findSubject, formatPinned, openWritable, type ImageOptions } from './open-image.ts';
import { readLocalFile } from './read-file.ts';

export interface AttachBundleOptions extends ImageOptions {
  /** A Sigstore bundle that attests something about the image. */
  readonly bundleFile: string;
}

/** A bundle made elsewhere that now refers to an image. */
export interface AttachedBundleFile {
  readonly reference: string;
  readonly digest: Digest;
  /** `already-attached`: these very bytes were, and nothing was written. */
  readonly outcome: 'attached' | 'already-attached';
  readonly manifest: Digest;
  readonly predicateType: string;
  readonly bundleFile: string;
}

/**
 * Attaches a bundle exactly as one that was just signed. It must be a bundle, its statement must be about the image, and a
 * certificate in it must fit the signature; whom to believe is for verifying to say.
 *
 * @throws BoltsealError STATEMENT_INVALID, FILE_NOT_FOUND, FILE_UNREADABLE, LIMIT_EXCEEDED and the codes of references and
 *   registries
 */
export async function attachBundle(
  image: string,
  options: AttachBundleOptions,
  context: Context,
): Promise<AttachedBundleFile> {
  const { bundleFile } = options;
  const bytes = await readLocalFile(bundleFile, 'the bundle', LIMITS.bundleBytes);
  const { statement } = readBundleFile(bytes, bundleFile);
  await using target = await openWritable(image, options, context);
  const subject = await findSubject(target, options.platform);
  if (!isAbout(statement, subject.digest)) throw aboutAnother({ bundleFile, statement }, subject);
  const { predicateType } = statement;
  const known = await findSame(target, subject.digest, bytes);
  const artifact = bundleArtifact(bytes, predicateType, context.now());
  const manifest = known ?? (await attachArtifact(target, subject, artifact, context)).digest;
  return {
    reference: formatPinned(target.reference, subject.digest),
    digest: subject.digest,
    outcome: known === undefined ? 'attached' : 'already-attached',
    manifest,
    predicateType,
    bundleFile,
  };
}

function readBundleFile(bytes: Uint8Array, path: string): BundleClaims {
  try {
    const claims = readClaims(bytes);
    if (claims.certifiedKey !== undefined && !claims.isSignedBy(claims.certifiedKey))
      throw new Rejected('SIGNATURE_INVALID', 'the signature is not by the key in its certificate');
    return claims;
  } catch (cause) {
    if (!(cause instanceof Rejected)) throw cause;
    const { reason, next } = toRejection(cause);
    throw new BoltsealError('STATEMENT_INVALID', `${path} cannot be attached: ${reason}`, { hint: next, cause });
  }
}

function aboutAnother(
  { bundleFile, statement }: { readonly bundleFile: string } & Pick<BundleClaims, 'statement'>,
  { digest }: Descriptor,
): BoltsealError {
  const subjects = statement.subjects.slice(0, MAX_SHOWN).flatMap((subject) => Object.entries(subject.digest));
  const about = subjects.map(([algorithm, hex]) => `${algorithm}:${hex}`).join(', ');
  return new BoltsealError('STATEMENT_INVALID', `${bundleFile} is about ${about}, and not about ${digest}`, {
    hint: 'Name the image that was signed, by its digest; of an index, one image of it is chosen with --platform.',
  });
}

async function findSame(target: WritableSource, subject: Digest, bytes: Uint8Array): Promise<Digest | undefined> {
  for await (const candidate of listBundles(target, subject))
    if (candidate.kind === 'bundle' && Buffer.from(bytes).equals(candidate.bytes)) return candidate.manifestDigest;
  return undefined;
}

const MAX_SHOWN = 3;
