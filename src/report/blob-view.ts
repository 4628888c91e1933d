import type { SignedBlob } from '../actions/sign-blob.ts';
import { jsonDocument } from './json-view.ts';
import { signerText } from './signer-text.ts';

/** What was signed, by whom, and in which file the proof is. */
export const blobView = {
  text({ name, bundleFile, signer, logEntries }: SignedBlob): string {
    const logged = logEntries.map(({ url, index }) => `, log ${url} entry ${index}`).join('');
    return `${name}\n  signed by ${signerText(signer)}${logged}\n  ${bundleFile}\n`;
  },
  json: (blob: SignedBlob): string => jsonDocument('SignBlobResult', { blob }),
} as const;
