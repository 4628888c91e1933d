import type { Detachment } from '../actions/detach-artifact.ts';
import { jsonDocument } from './json-view.ts';

export const detachView = {
  text: ({ reference, removed }: Detachment): string =>
    [
      reference,
      ...removed.map(
        ({ digest, artifactType, subject }) => `  removed ${artifactType ?? 'an artifact'} ${digest} from ${subject}`,
      ),
      '',
    ].join('\n'),
  json: (detached: Detachment): string => jsonDocument('DetachResult', detached),
} as const;
