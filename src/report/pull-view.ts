import type { PulledArtifact } from '../referrers/pull.ts';
import { jsonDocument } from './json-view.ts';

export const pullView = {
  text: ({ digest, artifactType, folder, files }: PulledArtifact): string =>
    [
      `${digest}${artifactType === undefined ? '' : `  ${artifactType}`}`,
      `  into ${folder}`,
      ...files.map(({ path, sizeBytes }) => `  ${path}  ${sizeBytes} bytes`),
      '',
    ].join('\n'),
  json: (pulled: PulledArtifact): string => jsonDocument('PullResult', pulled),
} as const;
