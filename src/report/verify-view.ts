import type { CandidateDecision, Decision, PolicyDecision, RequirementDecision } from '../policy/decision.ts';
import type { ImageVerdict } from '../actions/verify-images.ts';
import { PLAIN, type Style } from './style.ts';
import { outcomeOf, verifyJson, type Outcome } from './verify-json.ts';

/** The answer to `verify`: a tree for each image, or why there is no answer for it, then a line that counts them. */
export const verifyView = { text: verifyText, json: verifyJson } as const;

/** The decisions as text: a tree for each image, then a line that counts them. Ends with a newline. */
export function verifyText(results: readonly ImageVerdict[], style: Style = PLAIN): string {
  return `${[...results.map((result) => oneImage(result, style)), summary(results)].join('\n\n')}\n`;
}

function oneImage(verdict: ImageVerdict, style: Style): string {
  if ('error' in verdict) return noAnswer(verdict, style);
  const { image, decision } = verdict;
  const { outcome, subject, reason, code, next, policies, excludedBy } = decision;
  const mark = MARKS[outcome](style);
  const lines = [`${mark} ${style.strong(printable(image))}   ${printable(reason)}`, `  ${style.faint(subject)}`];
  for (const policy of policies) lines.push('', ...onePolicy(policy, policies.length > 1, style));
  if (policies.length > 0 && excludedBy.length > 0) lines.push('', `  excluded by ${excludedBy.join(', ')}`);
  if (policies.length === 0) lines.push(`  ${style.bad(code ?? '')}`);
  const shown = policies.some(({ requirements }) => requirements.some((requirement) => requirement.next === next));
  if (next !== undefined && !shown) lines.push(`  → ${printable(next)}`);
  return lines.join('\n');
}

function noAnswer({ image, error }: Extract<ImageVerdict, { error: unknown }>, style: Style): string {
  return [
    `${style.bad('?')} ${style.strong(printable(image))}   no answer: it could not be found out whether it may be deployed`,
    `  ${style.bad(error.code)}   ${printable(error.message)}`,
    `  → ${printable(error.hint)}`,
  ].join('\n');
}

const MARKS: Readonly<Record<Decision['outcome'], (style: Style) => string>> = {
  allowed: ({ good }) => good('✓'),
  warned: ({ warning }) => warning('!'),
  denied: ({ bad }) => bad('✗'),
};

function onePolicy({ policy, mode, requirements }: PolicyDecision, named: boolean, style: Style): readonly string[] {
  const width = Math.max(...requirements.map(({ id }) => id.length));
  const head = named || mode === 'warn' ? [`  ${policy}${mode === 'warn' ? ' (mode warn)' : ''}`] : [];
  return [...head, ...requirements.flatMap((requirement) => oneRequirement(requirement, width, style))];
}

function oneRequirement(requirement: RequirementDecision, width: number, style: Style): readonly string[] {
  const { id, satisfied, reason, code, next, candidates } = requirement;
  const mark = satisfied ? style.good('✓') : style.bad('✗');
  const end = code === undefined ? '' : `   ${style.bad(code)}`;
  const line = `  ${mark} ${id.padEnd(width)}   ${printable(satisfied ? reason : withoutEcho(reason, candidates))}${end}`;
  if (satisfied) return [line];
  const few = candidates.slice(0, SHOWN).map((candidate) => oneCandidate(candidate, style));
  const more = candidates.length > SHOWN ? [`      … and ${candidates.length - SHOWN} more`] : [];
  return [line, ...few, ...more, ...(next === undefined ? [] : [`      → ${printable(next)}`])];
}

/** The nearest candidate stands on the next line; the requirement's own line does not say the same again. */
function withoutEcho(reason: string, candidates: readonly CandidateDecision[]): string {
  const nearest = candidates[0]?.reason;
  return nearest !== undefined && reason.endsWith(`: ${nearest}`) ? reason.slice(0, -nearest.length - 1) : reason;
}

const SHOWN = 10;

function oneCandidate({ id, satisfied, reason, code }: CandidateDecision, style: Style): string {
  const mark = satisfied ? style.good('✓') : style.bad('✗');
  const end = code === undefined ? '' : `   ${style.faint(code)}`;
  return `      ${mark} ${style.faint(shorten(id))}  ${printable(reason)}${end}`;
}

const DIGEST_SHOWN = 'sha256:'.length + 12;

function shorten(digest: string): string {
  return digest.length > DIGEST_SHOWN ? `${digest.slice(0, DIGEST_SHOWN)}…` : digest;
}

const WORDS: Readonly<Record<Outcome, string>> = {
  allowed: 'allowed',
  warned: 'allowed with a warning',
  denied: 'denied',
  unknown: 'without an answer',
};

function summary(verdicts: readonly ImageVerdict[]): string {
  const parts = Object.entries(WORDS)
    .map(([outcome, words]) => ({ words, number: verdicts.filter((one) => outcomeOf(one) === outcome).length }))
    .filter(({ number }) => number > 0)
    .map(({ number, words }) => `${number} ${words}`);
  return `${verdicts.length} image${verdicts.length === 1 ? '' : 's'}: ${parts.join(', ') || 'none'}`;
}

/** Reasons quote what strangers wrote: control characters and marks that turn text around are shown as their code. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}
