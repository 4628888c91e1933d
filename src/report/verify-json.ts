import type { Decision } from '../policy/decision.ts';
import type { ImageVerdict } from '../actions/verify-images.ts';
import { jsonDocument } from './json-view.ts';

/**
 * The decisions as a document: `{"schemaVersion": 1, "kind": "VerifyResult", "allowed", "images": […]}`. Within schema
 * version 1 fields are added, never renamed or removed. `allowed` is true when every image is allowed or warned about, and
 * false for an empty list and where an answer is missing (outcome `unknown`). Two-space indent, and a newline at the end.
 */
export function verifyJson(verdicts: readonly ImageVerdict[]): string {
  const allowed = verdicts.length > 0 && verdicts.every((verdict) => ALLOWED.includes(outcomeOf(verdict)));
  return jsonDocument('VerifyResult', { allowed, images: verdicts.map(oneImage) });
}

export type Outcome = Decision['outcome'] | 'unknown';

const ALLOWED: readonly Outcome[] = ['allowed', 'warned'];

export function outcomeOf(verdict: ImageVerdict): Outcome {
  return 'decision' in verdict ? verdict.decision.outcome : 'unknown';
}

function oneImage(verdict: ImageVerdict): object {
  const { image } = verdict;
  if ('error' in verdict) {
    const { code, message, hint, exitCode } = verdict.error;
    return { image, outcome: outcomeOf(verdict), error: { code, message, hint, exitCode } };
  }
  const { decision, rejections = [] } = verdict;
  const { subject, name, tag, outcome, code, reason, next, policies, excludedBy } = decision;
  return {
    image,
    digest: subject,
    name,
    tag,
    outcome,
    code,
    reason,
    next,
    excludedBy,
    policies: policies.map(onePolicy),
    rejected: rejections.map(({ id, rejection }) => ({ id, ...rejection })),
  };
}

function onePolicy({ policy, path, mode, satisfied, requirements }: Decision['policies'][number]): object {
  return {
    name: policy,
    path,
    mode,
    satisfied,
    requirements: requirements.map(({ id, kind, satisfied: met, code, reason, next, candidates }) => ({
      id,
      kind,
      satisfied: met,
      code,
      reason,
      next,
      candidates: candidates.map((candidate) => ({
        id: candidate.id,
        satisfied: candidate.satisfied,
        code: candidate.code,
        reason: candidate.reason,
      })),
    })),
  };
}
