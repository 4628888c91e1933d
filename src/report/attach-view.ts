import type { AttachedFiles } from '../actions/attach-files.ts';
import { count } from './count.ts';
import { jsonDocument } from './json-view.ts';

export const attachView = {
  text: ({ reference, artifactType, manifest, files }: AttachedFiles): string =>
    [
      reference,
      `  ${count(files.length, 'file')} as ${artifactType}`,
      ...files.map(({ title, sizeBytes }) => `    ${title}  ${sizeBytes} bytes`),
      `  ${manifest}`,
      '',
    ].join('\n'),
  json: (attached: AttachedFiles): string => jsonDocument('AttachResult', attached),
} as const;
