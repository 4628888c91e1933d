import type { VerifiedAttestation } from '../../verify/verification.ts';
import type { RequirementDecision } from '../decision.ts';
import type { Evidence } from '../evidence.ts';
import type { Requirement } from '../policy.ts';

/** What a rule may know: nothing of the network, and of the clock only the moment the decision is made for. */
export interface RuleContext {
  readonly evidence: Evidence;
  readonly now: Date;
  /** What satisfied the requirements decided before this one, by id. */
  readonly satisfying: ReadonlyMap<string, readonly VerifiedAttestation[]>;
}

export interface RuleResult {
  readonly decision: RequirementDecision;
  /** The attestations that satisfied it, for requirements on their content. */
  readonly satisfying: readonly VerifiedAttestation[];
}

export type Rule<K extends Requirement['kind']> = (
  requirement: Extract<Requirement, { readonly kind: K }>,
  context: RuleContext,
) => RuleResult;
