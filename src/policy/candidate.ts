import { predicateTypeName } from '../intoto/predicate-types.ts';
import type { VerifiedAttestation, VerifiedSigner } from '../verify/verification.ts';
import type { CandidateDecision, DecisionCode } from './decision.ts';
import { formatDuration } from './duration.ts';
import { candidateId, type Evidence } from './evidence.ts';
import type { SignerChoice } from './policy.ts';

/** What a requirement asks of one attestation. */
export interface Demand {
  readonly predicateType: string;
  readonly by: SignerChoice;
  readonly maxAge?: { readonly written: string; readonly ms: number };
}

/** A candidate with what was found. `rank` grows with the checks it passed: the nearest miss explains a denial best. */
export interface Judged {
  readonly attestation: VerifiedAttestation;
  /** Names of the signers it counts for; empty when it does not satisfy the demand. */
  readonly signers: readonly string[];
  readonly rank: number;
  readonly decision: CandidateDecision;
}

/** Clocks differ: a signature this far ahead of ours is not from the future. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** Judges one verified attestation, without regard to the others. */
export function judge(attestation: VerifiedAttestation, demand: Demand, at: { evidence: Evidence; now: Date }): Judged {
  const { statement, subject, signer } = attestation;
  const type = predicateTypeName(statement.predicateType);
  if (subject !== at.evidence.subject) return miss(attestation, 0, 'SUBJECT_MISMATCH', `about ${subject}`);
  if (statement.predicateType !== demand.predicateType)
    return miss(attestation, 1, 'PREDICATE_TYPE_MISMATCH', `${type}, not ${predicateTypeName(demand.predicateType)}`);
  const matches = demand.by.of.map((rule) => ({ rule, match: rule.match(signer) }));
  const signers = matches.filter(({ match }) => match.ok).map(({ rule }) => rule.name);
  if (signers.length === 0) {
    const nearest = matches
      .flatMap(({ rule, match }) => (match.ok ? [] : [{ rule, ...match }]))
      .toSorted((a, b) => b.met - a.met)[0];
    const difference = nearest === undefined ? '' : `: not ${nearest.rule.name}, ${nearest.difference}`;
    return miss(
      attestation,
      2 + (nearest?.met ?? 0) / 10,
      'SIGNER_MISMATCH',
      `${type} by ${whoIs(signer)}${difference}`,
    );
  }
  const aged = judgeAge(attestation, demand, at.now);
  const words = `${type} by ${signers.join(', ')}: ${whoIs(signer)}${signedWhen(attestation)}`;
  if (aged !== undefined) return miss(attestation, 3, aged.code, `${words}: ${aged.reason}`);
  return { attestation, signers, rank: 4, decision: { id: candidateId(attestation), satisfied: true, reason: words } };
}

/** Age counts from the trusted time, never from what the predicate says of itself. */
function judgeAge(
  { signedAt }: VerifiedAttestation,
  { maxAge }: Demand,
  now: Date,
): { readonly code: DecisionCode; readonly reason: string } | undefined {
  if (maxAge === undefined) return undefined;
  if (signedAt === undefined) return { code: 'ATTESTATION_TIME_UNKNOWN', reason: 'no trusted time' };
  const age = now.getTime() - signedAt.getTime();
  if (Number.isNaN(age) || age < -CLOCK_SKEW_MS)
    return { code: 'ATTESTATION_FROM_FUTURE', reason: 'that time is still to come' };
  if (age <= maxAge.ms) return undefined;
  return { code: 'ATTESTATION_TOO_OLD', reason: `${formatDuration(age)} old, at most ${maxAge.written}` };
}

export function whoIs(signer: VerifiedSigner): string {
  if (signer.kind === 'certificate') return `${signer.identity} (${signer.issuer})`;
  return signer.name === undefined ? `the key ${signer.fingerprint}` : `the key ${signer.name}`;
}

function signedWhen({ signedAt, format }: VerifiedAttestation): string {
  const when = signedAt === undefined ? '' : `, signed ${signedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return format === 'legacy' ? `${when}, in cosign's old format` : when;
}

function miss(attestation: VerifiedAttestation, rank: number, code: DecisionCode, reason: string): Judged {
  return {
    attestation,
    signers: [],
    rank,
    decision: { id: candidateId(attestation), satisfied: false, code, reason },
  };
}
