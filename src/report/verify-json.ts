import type { Decision } from '../policy/decision.ts';
import type { VerifyResult } from './verify-view.ts';

/**
 * The decisions as a document: `{"schemaVersion": 1, "kind": "VerifyResult", "allowed", "images": […]}`. Within schema
 * version 1 fields are added, never renamed or removed. `allowed` is true when every image is allowed or warned about, and
 * false for an empty list. Two-space indent, and a newline at the end.
 */
export function verifyJson(results: readonly VerifyResult[]): string {
  const allowed = results.length > 0 && results.every(({ decision }) => decision.outcome !== 'denied');
  const document = { schemaVersion: 1, kind: 'VerifyResult', allowed, images: results.map(imageJson) };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

export function imageJson({ decision, image, what, rejections = [] }: VerifyResult): object {
  const { subject, name, tag, outcome, code, reason, next, policies, excludedBy } = decision;
  return {
    image,
    digest: subject,
    name,
    tag,
    what,
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
