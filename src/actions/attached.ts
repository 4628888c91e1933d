import type { Context } from '../base/context.ts';
import { isBoltsealError } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/platform.ts';
import { bundleArtifact } from '../referrers/artifact.ts';
import { attachArtifact } from '../referrers/attach.ts';
import { detachReferrer } from '../referrers/detach.ts';
import type { LogEntryReference, SignedBundle, SignerIdentity, StatementSigner } from '../sign/signer.ts';
import type { WritableSource } from '../source/source.ts';
import type { BundleOutput } from './bundle-output.ts';
import { findOwnBundles, type OwnBundle } from './find-own-bundles.ts';
import type { RepeatRules } from './open-repeat-rules.ts';
import { writeLocalFile } from './write-file.ts';

/** Something that was signed and now refers to an image. */
export interface AttachedBundle {
  /** `already-attached`: the same signer had attached the same statement before, and nothing was signed. */
  readonly outcome: 'attached' | 'already-attached';
  /** The referrer: the manifest that carries the bundle. */
  readonly manifest: Digest;
  readonly predicateType: string;
  readonly signer: SignerIdentity;
  /** Of one that was there already, where that could be verified. */
  readonly signedAt?: Date;
  /** Those of this run. */
  readonly logEntries: readonly LogEntryReference[];
  /** The referrers that this one was put in the place of. */
  readonly replaced: readonly Digest[];
  /** Where it was written too. */
  readonly bundleFile?: string;
}

/** Something that was signed and written to a file, and that nothing refers with to the image yet. */
export interface WrittenBundle {
  readonly outcome: 'written';
  readonly bundleFile: string;
  readonly predicateType: string;
  readonly signer: SignerIdentity;
  readonly signedAt: Date;
  readonly logEntries: readonly LogEntryReference[];
}

/** What `sign` and `attest` did to one image. */
export interface SignedImage {
  /** As it was named, with the digest that the name meant. */
  readonly reference: string;
  readonly digest: Digest;
  /** Of an image that was found in the index that was named. */
  readonly platform?: Platform;
  readonly bundle: AttachedBundle | WrittenBundle;
}

export interface SigningJob {
  readonly statement: Statement;
  readonly signer: StatementSigner;
  readonly repeat: RepeatRules;
  /** Where to write the bundle too. */
  readonly bundleFile?: string;
}

interface Statement {
  readonly bytes: Uint8Array;
  readonly predicateType: string;
}

/**
 * Signs a statement about `subject` and attaches the bundle, unless the same signer has attached the same before. To
 * replace is to attach the new one, and then to detach what the same signer had attached of the type. The file is written
 * first: should the registry refuse the bundle, it is not lost.
 *
 * @throws BoltsealError FILE_UNWRITABLE, and see StatementSigner, attachArtifact, detachReferrer
 */
export async function signAndAttach(
  target: WritableSource,
  subject: Descriptor,
  job: SigningJob,
  context: Context,
): Promise<AttachedBundle> {
  const { statement, signer, repeat, bundleFile } = job;
  const { predicateType } = statement;
  const own = await findOwnBundles(target, subject.digest, { statement, signer, ...repeat.trusted }, context);
  const same = own.find(({ isValid, isSame }) => isValid && isSame);
  if (same !== undefined && !repeat.replace) return alreadyAttached(same, job, context);
  const bundle = await signer.sign(statement.bytes, context);
  if (bundleFile !== undefined) await writeLocalFile(bundleFile, bundle.bytes);
  const artifact = bundleArtifact(bundle.bytes, predicateType, context.now());
  const { digest: manifest } = await attachArtifact(target, subject, artifact, context);
  return {
    outcome: 'attached',
    manifest,
    ...described(bundle, predicateType),
    replaced: repeat.replace ? await detachOld(target, { own, manifest, subject }, context) : [],
    ...(bundleFile === undefined ? {} : { bundleFile }),
  };
}

/** Signs a statement and has the bundle go where it should. @throws BoltsealError, see signAndAttach */
export async function signOnto(
  target: WritableSource,
  subject: Descriptor,
  job: Omit<SigningJob, 'bundleFile'> & { readonly output: BundleOutput },
  context: Context,
): Promise<AttachedBundle | WrittenBundle> {
  const { output, ...rest } = job;
  const { bundleFile, upload = true } = output;
  if (bundleFile === undefined) return signAndAttach(target, subject, rest, context);
  return upload
    ? signAndAttach(target, subject, { ...rest, bundleFile }, context)
    : signToFile(job.statement, { signer: job.signer, bundleFile }, context);
}

/** Signs a statement and writes the bundle to a file, whole or not at all. @throws BoltsealError FILE_UNWRITABLE, and see StatementSigner */
async function signToFile(
  { bytes, predicateType }: Statement,
  { signer, bundleFile }: { readonly signer: StatementSigner; readonly bundleFile: string },
  context: Context,
): Promise<WrittenBundle> {
  const bundle = await signer.sign(bytes, context);
  await writeLocalFile(bundleFile, bundle.bytes);
  return { outcome: 'written', bundleFile, ...described(bundle, predicateType) };
}

function described(
  { signer, signedAt, logEntries }: SignedBundle,
  predicateType: string,
): Pick<WrittenBundle, 'predicateType' | 'signer' | 'signedAt' | 'logEntries'> {
  return { predicateType, signer, signedAt, logEntries };
}

async function alreadyAttached(
  { manifest, signedAt, bytes }: OwnBundle,
  { statement, signer, bundleFile }: SigningJob,
  context: Context,
): Promise<AttachedBundle> {
  const { identity } = await signer.identify(context);
  if (bundleFile !== undefined) await writeLocalFile(bundleFile, bytes);
  return {
    outcome: 'already-attached',
    manifest,
    predicateType: statement.predicateType,
    signer: identity,
    ...(signedAt === undefined ? {} : { signedAt }),
    logEntries: [],
    replaced: [],
    ...(bundleFile === undefined ? {} : { bundleFile }),
  };
}

interface Replacement {
  readonly own: readonly OwnBundle[];
  readonly manifest: Digest;
  readonly subject: Descriptor;
}

async function detachOld(
  target: WritableSource,
  { own, manifest, subject }: Replacement,
  context: Context,
): Promise<readonly Digest[]> {
  const replaced: Digest[] = [];
  for (const old of new Set(own.map((one) => one.manifest))) {
    if (old === manifest) continue;
    try {
      await detachReferrer(target, old, { subject: subject.digest }, context);
      replaced.push(old);
    } catch (error) {
      // Something refers to it: a signature of a signature is not ours to leave hanging on nothing.
      if (!isBoltsealError(error, 'USAGE')) throw error;
      context.emit({ kind: 'warning', message: `${old} was not replaced: ${error.message}` });
    }
  }
  return replaced;
}
