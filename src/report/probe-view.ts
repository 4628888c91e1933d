import type { ProbeReport } from '../actions/probe-registry.ts';
import { jsonDocument } from './json-view.ts';

const MARKS = { yes: '✓', no: '✗', unknown: '?' } as const;

/** A line per feature: whether it is there, its name, and what was seen. */
export const probeView = {
  text: (
    { repository, answers, nothingPushed, leftovers }: ProbeReport,
    labels: Readonly<Record<string, string>>,
  ): string =>
    [
      repository,
      ...answers.map(
        ({ feature, answer, seen }) => `  ${MARKS[answer]} ${(labels[feature] ?? feature).padEnd(28)} ${seen}`,
      ),
      ...(nothingPushed === undefined ? [] : [`nothing was pushed: ${nothingPushed}`]),
      ...leftovers.map((what) => `still there: ${what}`),
    ].join('\n') + '\n',
  json: (report: ProbeReport): string => jsonDocument('ProbeResult', report),
} as const;
