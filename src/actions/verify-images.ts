import type { Context } from '../base/context.ts';
import { BoltsealError, isBoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Digest } from '../oci/digest.ts';
import { repositoryName, type Reference } from '../oci/reference.ts';
import { decide } from '../policy/decide.ts';
import type { Decision } from '../policy/decision.ts';
import type { Evidence } from '../policy/evidence.ts';
import type { Policy } from '../policy/policy.ts';
import { listBundles, type BundleCandidate } from '../referrers/bundles.ts';
import { mapParallel } from '../referrers/parallel.ts';
import type { WritableSource } from '../source/source.ts';
import { toRejection, Rejected } from '../verify/rejection.ts';
import { withKeys, type TrustRoot } from '../verify/trust-root.ts';
import { verifyBundle } from '../verify/verifier.ts';
import { findSubject, openReferrers, shareSession, type ImageOptions } from './open-image.ts';
import { openPolicies } from './open-policies.ts';
import { openTrustRoot } from './open-trust-root.ts';

export interface VerifyOptions extends ImageOptions {
  /** Policy files, or folders of them. */
  readonly policyPaths: readonly string[];
  /** A trusted_root.json; the public-good instance's, as built in, when absent. */
  readonly trustedRootFile?: string;
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
 * Decides about images: resolve → discover → verify each bundle → decide. An image that could not be found out about does
 * not keep the others from their answer.
 *
 * @throws BoltsealError POLICY_INVALID, TRUST_ROOT_INVALID, FILE_NOT_FOUND: before any image is looked at
 */
export async function verifyImages(
  images: readonly string[],
  options: VerifyOptions,
  context: Context,
): Promise<readonly ImageVerdict[]> {
  const policies = await openPolicies(options.policyPaths, context);
  const trust = withKeys(
    await openTrustRoot(options.trustedRootFile),
    policies.flatMap(({ keys }) => keys),
  );
  await using shared = shareSession(options, context);
  const verdicts: ImageVerdict[] = [];
  const decideOn = (image: string): Promise<ImageVerdict> =>
    verifyImage(image, { policies, trust, options: shared }, context);
  for await (const verdict of mapParallel(images, LIMITS.parallelFetches, decideOn)) verdicts.push(verdict);
  return verdicts;
}

/** 1 when an image is denied, else 3 when one could not be found out about, else 0. */
export function exitCodeOf(verdicts: readonly ImageVerdict[]): 0 | 1 | 2 | 3 | 70 {
  if (verdicts.some((verdict) => 'decision' in verdict && verdict.decision.outcome === 'denied')) return 1;
  const errors = verdicts.flatMap((verdict) => ('error' in verdict ? [verdict.error.exitCode] : []));
  return errors.toSorted((a, b) => b - a)[0] ?? (verdicts.length === 0 ? 2 : 0);
}

interface Grounds {
  readonly policies: readonly Policy[];
  readonly trust: TrustRoot;
  readonly options: VerifyOptions;
}

async function verifyImage(
  image: string,
  { policies, trust, options }: Grounds,
  context: Context,
): Promise<ImageVerdict> {
  try {
    await using source = await openReferrers(image, options, context);
    const subject =
      options.platform === undefined ? await source.resolve() : (await findSubject(source, options.platform)).digest;
    const evidence = await gatherEvidence(source, subject, trust);
    const decision = decide(policies, evidence, context.now());
    // Nothing at all was found: say so only of an image that is there. Costs a request, and only when the answer is no.
    if (evidence.attestations.length + evidence.rejections.length === 0) await source.readManifest(subject);
    return { image, decision, rejections: evidence.rejections };
  } catch (error) {
    context.signal.throwIfAborted();
    if (isBoltsealError(error)) return { image, error };
    throw error;
  }
}

async function gatherEvidence(source: WritableSource, subject: Digest, trust: TrustRoot): Promise<Evidence> {
  const attestations: Evidence['attestations'][number][] = [];
  const rejections: Evidence['rejections'][number][] = [];
  for await (const candidate of listBundles(source, subject)) {
    const verification = check(candidate, subject, trust);
    if (verification.ok) attestations.push(verification.attestation);
    else rejections.push({ id: candidate.manifestDigest, rejection: verification.rejection });
  }
  return { subject, ...nameOf(source.reference), attestations, rejections };
}

function check(candidate: BundleCandidate, subject: Digest, trust: TrustRoot): ReturnType<typeof verifyBundle> {
  if (candidate.kind === 'bundle') return verifyBundle(candidate, subject, { trust });
  return {
    ok: false,
    rejection: toRejection(new Rejected('BUNDLE_UNREADABLE', candidate.error.message, candidate.error)),
  };
}

function nameOf(reference: Reference): Pick<Evidence, 'name' | 'tag'> {
  if (reference.kind !== 'registry') return {};
  return { name: repositoryName(reference), ...(reference.tag === undefined ? {} : { tag: reference.tag }) };
}
