import { BoltsealError } from '../base/errors.ts';
import { parseDocuments } from './document.ts';
import type { Policy } from './policy.ts';
import { formatProblem, type Problem, type Report } from './problem.ts';
import { resolvePolicy } from './resolve.ts';
import type { ReadKey } from './resolve-signers.ts';
import { readWrittenPolicy } from './written.ts';

/** A policy file: its path as it should appear in messages, and its text (YAML or JSON). */
export interface PolicyText {
  readonly path: string;
  readonly text: string;
}

export interface LoadOptions {
  /** For signers given as `key: FILE`. Without it such a signer is refused. */
  readonly readKey?: ReadKey;
}

export type PolicyReading =
  | { readonly ok: true; readonly policies: readonly Policy[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads policies, or says everything that is wrong with them. All or none: a policy left out would be one not enforced. */
export async function readPolicies(
  texts: readonly PolicyText[],
  { readKey = noKeys }: LoadOptions = {},
): Promise<PolicyReading> {
  const problems: Problem[] = [];
  const policies: Policy[] = [];
  for (const { path, text } of texts) {
    const report: Report = ({ line, column }, message) => problems.push({ path, line, column, message });
    const documents = parseDocuments(text, report);
    if (documents.length === 0 && !problems.some((problem) => problem.path === path))
      report({ line: 1, column: 1 }, 'the file holds no policy');
    for (const document of documents) {
      const before = problems.length;
      const written = readWrittenPolicy(document, report);
      const policy = written && (await resolvePolicy(written, { path, readKey, report }));
      if (policies.some(({ name }) => name === policy?.name))
        report(document, `there are two policies with the name "${policy?.name}"`);
      if (policy !== undefined) policies.push(policy);
      else if (problems.length === before) report(document, 'the policy cannot be read');
    }
  }
  return problems.length === 0 ? { ok: true, policies } : { ok: false, problems };
}

/**
 * Reads policies from YAML or JSON texts; the form is described by policies/policy.schema.json.
 *
 * @throws BoltsealError POLICY_INVALID, with every problem as `file:line:column message`
 */
export async function loadPolicies(
  texts: readonly PolicyText[],
  options: LoadOptions = {},
): Promise<readonly Policy[]> {
  const reading = await readPolicies(texts, options);
  if (reading.ok) return reading.policies;
  const { problems } = reading;
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  const lines = problems.map((problem) => `  ${formatProblem(problem)}`);
  throw new BoltsealError('POLICY_INVALID', `the policy has ${count}:\n${lines.join('\n')}`, {
    hint: 'Correct the lines named above; until then nothing these policies govern is allowed.',
  });
}

function noKeys(): Promise<Uint8Array> {
  return Promise.reject(new Error('key files cannot be read here'));
}
