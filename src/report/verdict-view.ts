import type { ImageVerdict } from '../actions/verify-images.ts';
import type { BoltsealError } from '../base/errors.ts';
import { jsonDocument } from './json-view.ts';
import type { Style } from './style.ts';
import { imageJson } from './verify-json.ts';
import { imageText, printable } from './verify-view.ts';

/** The answer to `verify`: a tree for each image, or why there is no answer for it, and a line that counts. */
export const verdictView = {
  text: (verdicts: readonly ImageVerdict[], style: Style): string =>
    `${[...verdicts.map((verdict) => oneText(verdict, style)), summary(verdicts)].join('\n\n')}\n`,
  json: (verdicts: readonly ImageVerdict[]): string =>
    jsonDocument('VerifyResult', {
      allowed: verdicts.length > 0 && verdicts.every(isAllowed),
      images: verdicts.map(oneJson),
    }),
} as const;

function isAllowed(verdict: ImageVerdict): boolean {
  return outcomeOf(verdict) === 'allowed' || outcomeOf(verdict) === 'warned';
}

type Outcome = 'allowed' | 'warned' | 'denied' | 'unknown';

function outcomeOf(verdict: ImageVerdict): Outcome {
  return 'decision' in verdict ? verdict.decision.outcome : 'unknown';
}

function oneText(verdict: ImageVerdict, style: Style): string {
  if ('decision' in verdict) return imageText(verdict, { ...style, warning: style.warn });
  const { image, error } = verdict;
  return [
    `${style.bad('?')} ${style.strong(printable(image))}   no answer: it could not be found out whether it may be deployed`,
    `  ${style.bad(error.code)}   ${printable(error.message)}`,
    `  → ${printable(error.hint)}`,
  ].join('\n');
}

function oneJson(verdict: ImageVerdict): object {
  if ('decision' in verdict) return imageJson(verdict);
  return { image: verdict.image, outcome: 'unknown', error: errorJson(verdict.error) };
}

function errorJson({ code, message, hint, exitCode }: BoltsealError): object {
  return { code, message, hint, exitCode };
}

const WORDS: Readonly<Record<Outcome, string>> = {
  allowed: 'allowed',
  warned: 'allowed with a warning',
  denied: 'denied',
  unknown: 'without an answer',
};

function summary(verdicts: readonly ImageVerdict[]): string {
  const counts = Object.entries(WORDS)
    .map(([outcome, words]) => ({ words, number: verdicts.filter((verdict) => outcomeOf(verdict) === outcome).length }))
    .filter(({ number }) => number > 0)
    .map(({ number, words }) => `${number} ${words}`);
  return `${verdicts.length} image${verdicts.length === 1 ? '' : 's'}: ${counts.join(', ')}`;
}
