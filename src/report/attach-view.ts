import type { AttachedFiles } from '../actions/attach-files.ts';
import { count } from './count.ts';
import type { AttachedBundleFile } from '../actions/attach-bundle.ts';
import { predicateTypeName } from '../intoto/predicate-types.ts';
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

export const attachBundleView = {
  text: ({ reference, bundleFile, outcome, predicateType, manifest }: AttachedBundleFile): string => {
    const was = outcome === 'already-attached' ? 'already attached' : 'attached';
    return `${reference}\n  ${bundleFile} ${was} as ${predicateTypeName(predicateType)}\n  ${manifest}\n`;
  },
  json: (attached: AttachedBundleFile): string => jsonDocument('AttachBundleResult', attached),
} as const;
