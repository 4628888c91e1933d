import type { Context } from '../base/context.ts';
import { BoltsealError, isBoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Digest } from '../oci/digest.ts';
import { formatReference, parseRegistryReference, repositoryName, type Reference } from '../oci/reference.ts';
import { commandLinePolicy } from '../policy/command-line.ts';
import { decide } from '../policy/decide.ts';
import type { Decision } from '../policy/decision.ts';
import type { Evidence } from '../policy/evidence.ts';
import type { Policy } from '../policy/policy.ts';
import { mapParallel } from '../referrers/parallel.ts';
import { withKeys } from '../verify/trust-root.ts';
import { gatherBundles, gatherLegacy, type EvidenceOptions } from './gather-evidence.ts';
import {
  findSubject,
  openReferrers,
  shareSession,
  subjectName,
  type ImageOptions,
  type ReferrerSource,
} from './open-image.ts';
import { checkOneRegistry } from './one-registry.ts';
import { openPolicies } from './open-policies.ts';
import { openSigners, type NamedSigners } from './open-signers.ts';
import { openTrustRoot } from './open-trust-root.ts';

export interface VerifyOptions extends ImageOptions {
  /** Policy files, or folders of them. */
  readonly policyPaths: readonly string[];
  /** Asked of every image, beside the files or instead of them. */
  readonly commandLine?: CommandLinePolicy;
  /**
   * Whether what cosign 1 and 2 stored is looked for: beside the bundles, or not at all. When absent, only where the bundles
   * satisfy no policy.
   */
  readonly legacy?: boolean;
  /**
   * The repository that an image from a layout or archive is judged as, `registry/repository`: policies are about names, and
   * a folder has none. For one image, and never for one that has a name of its own.
   */
  readonly judgedAs?: string;
  /** A trusted_root.json; the public-good instance's, as built in, when absent. */
  readonly trustedRootFile?: string;
}

/** A policy for every image that is named, written in flags. */
export interface CommandLinePolicy {
  readonly signers: NamedSigners;
  /** Asks for an attestation of this type instead of a signature. */
  readonly type?: string;
  /** What is signed with one of the keys counts without a log entry and a trusted time. */
  readonly allowUnloggedKeys?: boolean;
}

/** The answer for one image: a decision, or why there could be none. Only a decision can allow. */
export type ImageVerdict = DecidedImage | { readonly image: string; readonly error: BoltsealError };

export interface DecidedImage {
  /** As it was asked for. */
  readonly image: string;
  readonly decision: Decision;
  /** Bundles that were found and do not verify. */
  readonly rejections?: Evidence['rejections'];
}

/**
 * Decides about images: resolve → discover → verify each bundle → decide, and where the answer is no, once more with what is
 * stored in cosign's old formats. An image that could not be found out about does
 * not keep the others from their answer.
 *
 * @throws BoltsealError POLICY_INVALID, TRUST_ROOT_INVALID, FILE_NOT_FOUND: before any image is looked at
 */
export async function verifyImages(
  images: readonly string[],
  options: VerifyOptions,
  context: Context,
): Promise<readonly ImageVerdict[]> {
  const policies = await policiesOf(options, context);
  const trust = withKeys(
    await openTrustRoot(options.trustedRootFile),
    policies.flatMap(({ keys }) => keys),
  );
  const unlogged = options.commandLine?.allowUnloggedKeys === true;
  const evidence = { trust, ...(unlogged ? { keyThresholds: { logEntries: 0, times: 0 } } : {}) };
  const verdicts: ImageVerdict[] = [];
  if (options.judgedAs !== undefined && images.length > 1) throw oneImageOnly();
  await checkOneRegistry(images, options, context);
  await using shared = shareSession(options, context);
  const verifyOne = (image: string): Promise<ImageVerdict> =>
    verifyImage(image, { policies, evidence, options: shared }, context);
  for await (const verdict of mapParallel(images, LIMITS.parallelFetches, verifyOne)) verdicts.push(verdict);
  return verdicts;
}

/** 1 when an image is denied, else 3 when one could not be found out about, else 0. */
export function exitCodeOf(verdicts: readonly ImageVerdict[]): 0 | 1 | 2 | 3 | 70 {
  if (verdicts.some((verdict) => 'decision' in verdict && verdict.decision.outcome === 'denied')) return 1;
  const errors = verdicts.flatMap((verdict) => ('error' in verdict ? [verdict.error.exitCode] : []));
  return errors.toSorted((a, b) => b - a)[0] ?? (verdicts.length === 0 ? 2 : 0);
}

async function policiesOf({ policyPaths, commandLine }: VerifyOptions, context: Context): Promise<readonly Policy[]> {
  const written = policyPaths.length === 0 ? [] : await openPolicies(policyPaths, context);
  if (commandLine === undefined) return written;
  const { rules, keys } = await openSigners(commandLine.signers);
  return [...written, commandLinePolicy(rules, keys, commandLine.type)];
}

interface Grounds {
  readonly policies: readonly Policy[];
  readonly evidence: EvidenceOptions;
  readonly options: VerifyOptions;
}

async function verifyImage(image: string, grounds: Grounds, context: Context): Promise<ImageVerdict> {
  const { options } = grounds;
  try {
    await using source = await openReferrers(image, options, context);
    const subject =
      options.platform === undefined ? await source.resolve() : (await findSubject(source, options.platform)).digest;
    const { evidence, decision } = await decideOn(source, subject, grounds, context);
    // Nothing at all was found: say so only of an image that is there. Costs a request, and only when the answer is no.
    if (evidence.attestations.length + evidence.rejections.length === 0) await source.readManifest(subject);
    return { image, decision, rejections: evidence.rejections };
  } catch (error) {
    context.signal.throwIfAborted();
    if (isBoltsealError(error)) return { image, error };
    throw error;
  }
}

interface Decided {
  readonly evidence: Evidence;
  readonly decision: Decision;
}

/** The old formats are asked about last: a signed image costs no request for them. */
async function decideOn(
  source: ReferrerSource,
  subject: Digest,
  { policies, evidence: evidenceOptions, options }: Grounds,
  context: Context,
): Promise<Decided> {
  const about = { subject, ...nameOf(source.reference, options) };
  const bundles = await gatherBundles(source, subject, evidenceOptions);
  const first = { ...about, ...bundles };
  const decision = decide(policies, first, context.now());
  const isSettled = decision.outcome === 'allowed' || decision.policies.length === 0;
  if (!(options.legacy ?? !isSettled)) return { evidence: first, decision };
  const legacy = await gatherLegacy(source, subject, evidenceOptions);
  const evidence = {
    ...about,
    attestations: [...bundles.attestations, ...legacy.attestations],
    rejections: [...bundles.rejections, ...legacy.rejections],
  };
  return { evidence, decision: decide(policies, evidence, context.now()) };
}

function oneImageOnly(): BoltsealError {
  return new BoltsealError('USAGE', '--as names one repository, and there are several images', {
    hint: 'Verify them one at a time, each under its own name.',
  });
}

/** Flags are about the images named beside them, whatever they are; a policy file is about repositories. */
function nameOf(reference: Reference, { commandLine, judgedAs }: VerifyOptions): Pick<Evidence, 'name' | 'tag'> {
  if (reference.kind !== 'registry' && judgedAs !== undefined)
    return { name: repositoryName(parseRegistryReference(judgedAs)) };
  if (judgedAs !== undefined)
    throw new BoltsealError(
      'USAGE',
      `${formatReference(reference)} has a name of its own, and cannot be judged as ${judgedAs}`,
      {
        hint: 'Leave out --as; policies that match the name itself decide.',
      },
    );
  if (reference.kind !== 'registry') return commandLine === undefined ? {} : { name: subjectName(reference) };
  return { name: repositoryName(reference), ...(reference.tag === undefined ? {} : { tag: reference.tag }) };
}
