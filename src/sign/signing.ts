import type { SigningKey } from './key/signing-key.ts';
import type { SignerIdentity } from './signer.ts';

/** Who signs: a key, the certificate that says whose it is where there is one, and how to name the signer. */
export interface Signing {
  readonly key: SigningKey;
  readonly certificate?: SigningCertificate;
  readonly signer: SignerIdentity;
}

export interface SigningCertificate {
  readonly pem: string;
  readonly der: Buffer;
}
