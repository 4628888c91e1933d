import { messageOf } from '../base/errors.ts';
import type { VerifiedAttestation } from '../verify/verification.ts';
import type { Decision, PolicyDecision, RequirementDecision } from './decision.ts';
import type { Evidence } from './evidence.ts';
import type { Policy, Requirement } from './policy.ts';
import { applyRule } from './rules/table.ts';

/**
 * Decides on one image. Every policy about it must be satisfied, and within one every requirement; no policy about it
 * is a denial, and so is anything that goes wrong on the way. `now` is the moment the decision is made for.
 */
export function decide(policies: readonly Policy[], evidence: Evidence, now: Date): Decision {
  try {
    return decideOrThrow(policies, evidence, now);
  } catch (error) {
    return {
      ...about(evidence),
      outcome: 'denied',
      code: 'DECISION_FAILED',
      reason: `the decision could not be finished: ${messageOf(error)}`,
      next: 'Please report this: a decision should always come to an end.',
      policies: [],
      excludedBy: [],
    };
  }
}

function decideOrThrow(policies: readonly Policy[], evidence: Evidence, now: Date): Decision {
  const matching = policies.filter(({ images }) => matches(images, evidence));
  const excluding = matching.filter(({ exclude }) => matches(exclude, evidence));
  const applying = matching.filter((policy) => !excluding.includes(policy));
  const excludedBy = excluding.map(({ name }) => name);
  if (applying.length === 0) return { ...about(evidence), ...noPolicy(evidence, excludedBy), policies: [], excludedBy };
  const decided = applying.map((policy) => decidePolicy(policy, evidence, now));
  return { ...about(evidence), ...conclude(decided), policies: decided, excludedBy };
}

function matches(patterns: Policy['images'], { name }: Evidence): boolean {
  return name !== undefined && patterns.some((pattern) => pattern.matches(name));
}

function noPolicy(
  evidence: Evidence,
  excludedBy: readonly string[],
): Pick<Decision, 'outcome' | 'code' | 'reason'> & { next: string } {
  const name = evidence.name ?? 'an image without a registry name';
  const excluded = excludedBy.length === 0 ? '' : ` (excluded by ${excludedBy.join(', ')})`;
  return {
    outcome: 'denied',
    code: 'NO_POLICY',
    reason: `no policy is about ${name}${excluded}`,
    next: `Add ${evidence.name ?? 'the name'} to the images of a policy, or verify the image under a name that one is about.`,
  };
}

function conclude(
  decided: readonly PolicyDecision[],
): Pick<Decision, 'outcome' | 'reason'> & Partial<Pick<Decision, 'code' | 'next'>> {
  const failed = decided.filter(({ satisfied }) => !satisfied);
  const names = (list: readonly PolicyDecision[]): string => list.map(({ policy }) => policy).join(', ');
  if (failed.length === 0) return { outcome: 'allowed', reason: `allowed by ${names(decided)}` };
  const enforced = failed.filter(({ mode }) => mode !== 'warn');
  const first = (enforced[0] ?? failed[0])?.requirements.find(({ satisfied }) => !satisfied);
  return {
    outcome: enforced.length > 0 ? 'denied' : 'warned',
    code: 'REQUIREMENT_UNMET',
    reason: enforced.length > 0 ? `denied by ${names(enforced)}` : `would be denied by ${names(failed)}, in mode warn`,
    next: first?.next ?? 'See the requirements that are not satisfied.',
  };
}

function decidePolicy({ name, path, mode, requirements }: Policy, evidence: Evidence, now: Date): PolicyDecision {
  const satisfying = new Map<string, readonly VerifiedAttestation[]>();
  const decided = new Map<string, RequirementDecision>();
  for (const requirement of sourcesFirst(requirements)) {
    const result = applyRule(requirement, { evidence, now, satisfying });
    satisfying.set(requirement.id, result.satisfying);
    decided.set(requirement.id, result.decision);
  }
  const inOrder = requirements.map(({ id }) => decided.get(id)).filter((decision) => decision !== undefined);
  const satisfied =
    inOrder.length > 0 && inOrder.length === requirements.length && inOrder.every((decision) => decision.satisfied);
  return { policy: name, path, mode, satisfied, requirements: inOrder };
}

/** Requirements on content come after those that say where the content is from, wherever they stand in the file. */
function sourcesFirst(requirements: readonly Requirement[]): readonly Requirement[] {
  return requirements.toSorted((a, b) => Number(a.kind === 'sbom') - Number(b.kind === 'sbom'));
}

function about({ subject, name, tag }: Evidence): Pick<Decision, 'subject' | 'name' | 'tag'> {
  return { subject, ...(name === undefined ? {} : { name }), ...(tag === undefined ? {} : { tag }) };
}
