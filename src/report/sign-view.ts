import type { SignedImage } from '../actions/attached.ts';
import { predicateTypeName } from '../intoto/predicate-types.ts';
import { formatPlatform } from '../oci/platform.ts';
import { jsonDocument } from './json-view.ts';
import { signerText } from './signer-text.ts';

/** One line per image: what was signed, by whom, and where the proof is. */
export const signView = {
  text: (images: readonly SignedImage[]): string => images.map(lines).join(''),
  json: (images: readonly SignedImage[]): string => jsonDocument('SignResult', { images }),
} as const;

function lines({ reference, platform, bundle }: SignedImage): string {
  const signer = bundle.signer.kind === 'certificate' ? bundle.signer.identity : signerText(bundle.signer);
  const logged = bundle.logEntries.map(({ url, index }) => `, log ${url} entry ${index}`).join('');
  const which = platform === undefined ? '' : ` (${formatPlatform(platform)})`;
  const type = predicateTypeName(bundle.predicateType);
  const by = bundle.outcome === 'already-attached' ? (ALREADY[type] ?? `already attested, ${type},`) : type;
  return [`${reference}${which}`, `  ${by} by ${signer}${logged}`, ...whereabouts(bundle), ''].join('\n');
}

function whereabouts(bundle: SignedImage['bundle']): readonly string[] {
  const file = bundle.bundleFile === undefined ? [] : [`  written to ${bundle.bundleFile}`];
  if (bundle.outcome === 'written') return [...file, '  not attached: "boltseal attach --bundle" does that'];
  return [`  ${bundle.manifest}`, ...file, ...bundle.replaced.map((digest) => `  in place of ${digest}`)];
}

const ALREADY: Readonly<Record<string, string>> = { signature: 'already signed' };
