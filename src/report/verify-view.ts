import type { CandidateDecision, Decision, PolicyDecision, RequirementDecision } from '../policy/decision.ts';
import type { RejectedCandidate } from '../policy/evidence.ts';

/** How words are set off on a terminal. Each function wraps a text and changes nothing else. */
export interface VerifyStyle {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
}

const same = (text: string): string => text;

/** For files, pipes and NO_COLOR. */
export const PLAIN: VerifyStyle = { good: same, bad: same, warning: same, strong: same, faint: same };

/** One image's decision with what the decision does not repeat. */
export interface VerifyResult {
  readonly decision: Decision;
  /** The image as it was asked for. */
  readonly image: string;
  /** What the digest is: "image", "index of linux/amd64, linux/arm64". */
  readonly what?: string;
  readonly rejections?: readonly RejectedCandidate[];
}

/** The decisions as text: a tree for each image, then a line that counts them. Ends with a newline. */
export function verifyText(results: readonly VerifyResult[], style: VerifyStyle = PLAIN): string {
  return `${[...results.map((result) => imageText(result, style)), summary(results)].join('\n\n')}\n`;
}

export function imageText({ decision, image, what }: VerifyResult, style: VerifyStyle): string {
  const { outcome, subject, reason, code, next, policies, excludedBy } = decision;
  const mark = MARKS[outcome](style);
  const lines = [
    `${mark} ${style.strong(printable(image))}   ${printable(reason)}`,
    `  ${style.faint(subject)}${what === undefined ? '' : `   ${what}`}`,
  ];
  for (const policy of policies) lines.push('', ...onePolicy(policy, policies.length > 1, style));
  if (policies.length > 0 && excludedBy.length > 0) lines.push('', `  excluded by ${excludedBy.join(', ')}`);
  if (policies.length === 0) lines.push(`  ${style.bad(code ?? '')}`);
  const shown = policies.some(({ requirements }) => requirements.some((requirement) => requirement.next === next));
  if (next !== undefined && !shown) lines.push(`  → ${printable(next)}`);
  return lines.join('\n');
}

const MARKS: Readonly<Record<Decision['outcome'], (style: VerifyStyle) => string>> = {
  allowed: ({ good }) => good('✓'),
  warned: ({ warning }) => warning('!'),
  denied: ({ bad }) => bad('✗'),
};

function onePolicy(
  { policy, mode, requirements }: PolicyDecision,
  named: boolean,
  style: VerifyStyle,
): readonly string[] {
  const width = Math.max(...requirements.map(({ id }) => id.length));
  const head = named || mode === 'warn' ? [`  ${policy}${mode === 'warn' ? ' (mode warn)' : ''}`] : [];
  return [...head, ...requirements.flatMap((requirement) => oneRequirement(requirement, width, style))];
}

function oneRequirement(requirement: RequirementDecision, width: number, style: VerifyStyle): readonly string[] {
  const { id, satisfied, reason, code, next, candidates } = requirement;
  const mark = satisfied ? style.good('✓') : style.bad('✗');
  const end = code === undefined ? '' : `   ${style.bad(code)}`;
  const line = `  ${mark} ${id.padEnd(width)}   ${printable(reason)}${end}`;
  if (satisfied) return [line];
  const few = candidates.slice(0, SHOWN).map((candidate) => oneCandidate(candidate, style));
  const more = candidates.length > SHOWN ? [`      … and ${candidates.length - SHOWN} more`] : [];
  return [line, ...few, ...more, ...(next === undefined ? [] : [`      → ${printable(next)}`])];
}

const SHOWN = 10;

function oneCandidate({ id, satisfied, reason, code }: CandidateDecision, style: VerifyStyle): string {
  const mark = satisfied ? style.good('✓') : style.bad('✗');
  const end = code === undefined ? '' : `   ${style.faint(code)}`;
  return `      ${mark} ${style.faint(shorten(id))}  ${printable(reason)}${end}`;
}

const DIGEST_SHOWN = 'sha256:'.length + 12;

function shorten(digest: string): string {
  return digest.length > DIGEST_SHOWN ? `${digest.slice(0, DIGEST_SHOWN)}…` : digest;
}

function summary(results: readonly VerifyResult[]): string {
  const count = (outcome: Decision['outcome']): number =>
    results.filter(({ decision }) => decision.outcome === outcome).length;
  const parts = (['allowed', 'warned', 'denied'] as const)
    .map((outcome) => ({ outcome, number: count(outcome) }))
    .filter(({ number }) => number > 0)
    .map(({ outcome, number }) => `${number} ${outcome === 'warned' ? 'allowed with a warning' : outcome}`);
  return `${results.length} image${results.length === 1 ? '' : 's'}: ${parts.join(', ') || 'none'}`;
}

/** Reasons quote what strangers wrote: control characters and marks that turn text around are shown as their code. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}
