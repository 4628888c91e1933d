import type { SignerIdentity } from '../sign/signer.ts';

/** Who signed, in a few words. */
export function signerText(signer: SignerIdentity): string {
  if (signer.kind === 'certificate') return `${signer.identity} (${signer.issuer})`;
  const { algorithm, fingerprint, certificateSubject } = signer;
  return `${certificateSubject === undefined ? '' : `${certificateSubject}, `}${algorithm} key ${fingerprint}`;
}
