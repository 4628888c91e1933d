import type { Digest } from '../oci/digest.ts';
import type { Evidence } from '../policy/evidence.ts';
import { listBundles } from '../referrers/bundles.ts';
import { listLegacy } from '../referrers/legacy-tags.ts';
import { verifyLegacy } from '../verify/legacy.ts';
import { Rejected, toRejection } from '../verify/rejection.ts';
import type { ReferrerSource } from './open-image.ts';
import type { VerifyOptions } from '../verify/signature.ts';
import type { TrustRoot } from '../verify/trust-root.ts';
import { verifyBundle } from '../verify/verifier.ts';
import type { Verification } from '../verify/verification.ts';

/** What was found beside an image, each piece verified or with the reason why not. */
export type Found = Pick<Evidence, 'attestations' | 'rejections'>;

export type EvidenceOptions = { readonly trust: TrustRoot } & Pick<VerifyOptions, 'keyThresholds'>;

/** @throws BoltsealError, see `listBundles` */
export async function gatherBundles(source: ReferrerSource, subject: Digest, options: EvidenceOptions): Promise<Found> {
  const checked: Checked[] = [];
  for await (const candidate of listBundles(source, subject))
    checked.push({
      id: candidate.manifestDigest,
      verification:
        candidate.kind === 'unreadable' ? unreadable(candidate.error) : verifyBundle(candidate, subject, options),
    });
  return sort(checked);
}

/** What cosign 1 and 2 stored. @throws BoltsealError, see `listLegacy` */
export async function gatherLegacy(source: ReferrerSource, subject: Digest, options: EvidenceOptions): Promise<Found> {
  const checked: Checked[] = [];
  for await (const candidate of listLegacy(source, subject))
    checked.push({
      id: candidate.manifestDigest,
      verification:
        candidate.kind === 'unreadable' ? unreadable(candidate.error) : verifyLegacy(candidate, subject, options),
    });
  return sort(checked);
}

interface Checked {
  readonly id: Digest;
  readonly verification: Verification;
}

function sort(checked: readonly Checked[]): Found {
  return {
    attestations: checked.flatMap(({ verification }) => (verification.ok ? [verification.attestation] : [])),
    rejections: checked.flatMap(({ id, verification }) =>
      verification.ok ? [] : [{ id, rejection: verification.rejection }],
    ),
  };
}

function unreadable(error: Error): Verification {
  return { ok: false, rejection: toRejection(new Rejected('BUNDLE_UNREADABLE', error.message, error)) };
}
