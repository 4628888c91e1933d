import type { SignedImage } from '../actions/attached.ts';
import { predicateTypeName } from '../intoto/predicate-types.ts';
import { jsonDocument } from './json-view.ts';
import { signerText } from './signer-text.ts';

/** One line per image: what was signed, by whom, and where the proof is. */
export const signView = {
  text: (images: readonly SignedImage[]): string => images.map(lines).join(''),
  json: (images: readonly SignedImage[]): string => jsonDocument('SignResult', { images }),
} as const;

function lines({ reference, bundle }: SignedImage): string {
  const signer = bundle.signer.kind === 'certificate' ? bundle.signer.identity : signerText(bundle.signer);
  const logged = bundle.logEntries.map(({ url, index }) => `, log ${url} entry ${index}`).join('');
  return `${reference}\n  ${predicateTypeName(bundle.predicateType)} by ${signer}${logged}\n  ${bundle.manifest}\n`;
}
