import type { Requirement } from '../policy.ts';
import { attestationRule } from './attestation.ts';
import type { Rule, RuleContext, RuleResult } from './rule.ts';
import { sbomRule } from './sbom.ts';
import { signatureRule } from './signature.ts';

const RULES: { readonly [K in Requirement['kind']]: Rule<K> } = {
  signature: signatureRule,
  attestation: attestationRule,
  sbom: sbomRule,
};

export function applyRule<K extends Requirement['kind']>(
  requirement: Extract<Requirement, { readonly kind: K }>,
  context: RuleContext,
): RuleResult {
  return RULES[requirement.kind](requirement, context);
}
