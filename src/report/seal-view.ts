import type { AttachedBundle } from '../actions/attached.ts';
import type { SealedImage } from '../actions/seal-images.ts';
import { count } from './count.ts';
import { jsonDocument } from './json-view.ts';
import { signerText } from './signer-text.ts';

export const sealView = {
  text: (images: readonly SealedImage[]): string => images.map(lines).join(''),
  json: (images: readonly SealedImage[]): string => jsonDocument('SealResult', { images }),
} as const;

function lines({ reference, sbom, signature, attestation }: SealedImage): string {
  const unread = sbom.unknowns === 0 ? '' : `, ${count(sbom.unknowns, 'file')} that could not be read`;
  return [
    reference,
    `  sealed by  ${signerText(signature.signer)}`,
    `  SBOM       ${count(sbom.packages, 'package')}${unread}, ${sbom.sizeBytes} bytes, attested ${logged(attestation)}`,
    `  signature  ${logged(signature)}`,
    '',
  ].join('\n');
}

function logged({ outcome, manifest, logEntries, replaced }: AttachedBundle): string {
  const place = replaced.length === 0 ? '' : ` in place of ${replaced.join(', ')}`;
  return [
    `${outcome === 'already-attached' ? 'already ' : ''}as ${manifest}${place}`,
    ...logEntries.map(({ url, index }) => `logged at ${url} as entry ${index}`),
  ].join(', ');
}
