import { judge, type Demand, type Judged } from '../candidate.ts';
import type { CandidateDecision, DecisionCode, RequirementDecision } from '../decision.ts';
import { countDistinct } from '../distinct-signers.ts';
import type { RuleContext, RuleResult } from './rule.ts';

interface Words {
  readonly id: string;
  readonly kind: 'signature' | 'attestation';
  /** Code when there is not even a candidate. */
  readonly missing: DecisionCode;
  /** What is asked for, in a sentence: "a signature". */
  readonly thing: string;
  /** How one is made. */
  readonly command: string;
}

/** The rule that signatures and attestations share: candidates one by one, then enough different signers among them. */
export function requireStatement(demand: Demand, words: Words, context: RuleContext): RuleResult {
  const judged = context.evidence.attestations.map((attestation) => judge(attestation, demand, context));
  const good = judged.filter(({ signers }) => signers.length > 0);
  const distinct = countDistinct(good);
  const rejected = context.evidence.rejections.map(({ id, rejection }): CandidateDecision => ({
    id,
    satisfied: false,
    code: rejection.code,
    reason: rejection.reason,
  }));
  const base = { id: words.id, kind: words.kind };
  if (distinct.length >= demand.by.atLeast) {
    const candidates = good.map(({ decision }) => decision);
    const decision = {
      ...base,
      satisfied: true,
      reason: candidates.map(({ reason }) => reason).join('; '),
      candidates,
    };
    return { decision, satisfying: good.map(({ attestation }) => attestation) };
  }
  const candidates = [...nearestFirst(judged).map(({ decision }) => decision), ...rejected];
  const failure = explain(demand, words, { judged, distinct, rejected: rejected.length });
  return { decision: { ...base, satisfied: false, ...failure, candidates }, satisfying: [] };
}

type Failure = Required<Pick<RequirementDecision, 'code' | 'reason' | 'next'>>;

function explain(
  { by }: Demand,
  { missing, thing, command }: Words,
  found: { readonly judged: readonly Judged[]; readonly distinct: readonly string[]; readonly rejected: number },
): Failure {
  const names = by.of.map(({ name }) => name);
  const { judged, distinct, rejected } = found;
  if (distinct.length > 0) {
    const absent = names.filter((name) => !distinct.includes(name));
    return {
      code: 'TOO_FEW_SIGNERS',
      reason: `${distinct.length} of ${by.atLeast} signers: ${distinct.join(', ')} signed, ${absent.join(', ')} did not`,
      next: `Have ${absent.join(' or ')} sign too: ${command}`,
    };
  }
  const nearest = nearestFirst(judged)[0];
  const wanted = by.of.map(({ name, description }) => `${name} (${description})`).join(' or ');
  if (nearest === undefined || (missing === 'SIGNATURE_MISSING' && nearest.rank < 2))
    return {
      code: missing,
      reason:
        rejected === 0 ? `there is no ${thing}` : `there is no ${thing} that verifies: ${counted(rejected)} rejected`,
      next: `Sign as ${wanted}: ${command}`,
    };
  return {
    code: nearest.decision.code === undefined ? missing : (nearest.decision.code as DecisionCode),
    reason: `no ${thing} satisfies it; the nearest: ${nearest.decision.reason}`,
    next: `Sign as ${wanted}: ${command}`,
  };
}

function counted(bundles: number): string {
  return `${bundles} ${bundles === 1 ? 'bundle' : 'bundles'}`;
}

function nearestFirst(judged: readonly Judged[]): readonly Judged[] {
  return judged.toSorted((a, b) => b.rank - a.rank);
}
