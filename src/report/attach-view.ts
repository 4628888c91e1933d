import type { AttachedFile } from '../actions/attach-file.ts';
import { jsonDocument } from './json-view.ts';

export const attachView = {
  text: ({ reference, fileName, artifactType, manifest }: AttachedFile): string =>
    `${reference}\n  ${fileName} as ${artifactType}\n  ${manifest}\n`,
  json: (attached: AttachedFile): string => jsonDocument('AttachResult', attached),
} as const;
