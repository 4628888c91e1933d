import { X509Certificate } from 'node:crypto';
import type { Bundle } from '@sigstore/bundle';
import { isBoltsealError } from '../base/errors.ts';
import { parseStatement, type Statement } from '../intoto/statement.ts';
import { readCertificate } from './certificate.ts';
import { envelopeContent, isSignedWith } from './content.ts';
import { parseBundle } from './bundle.ts';
import { readPublicKey, spkiOf } from './public-key.ts';
import { Rejected } from './rejection.ts';
import type { CertificateSigner } from './verification.ts';

/** What a bundle says of itself. Nobody vouches for any of it: good for finding, never for deciding. */
export interface BundleClaims {
  readonly payload: Uint8Array;
  readonly statement: Statement;
  /** Whom its certificate names, where it has one that names somebody. */
  readonly signer?: CertificateSigner;
  /** DER SubjectPublicKeyInfo of its certificate. */
  readonly certifiedKey?: Uint8Array;
  /** Whether the signature over the statement is by this key: DER SubjectPublicKeyInfo. This alone is no claim. */
  isSignedBy(publicKey: Uint8Array): boolean;
}

/** Reads a bundle without verifying it. @throws Rejected when it is not a bundle that attests something */
export function readClaims(bytes: Uint8Array): BundleClaims {
  const bundle = parseBundle(bytes);
  const content = envelopeContent(bundle);
  return {
    payload: content.payload,
    statement: readStatement(content.payload),
    ...certificateClaims(bundle),
    isSignedBy(publicKey) {
      const key = readPublicKey(publicKey);
      return key !== undefined && isSignedWith(key, content);
    },
  };
}

function readStatement(payload: Uint8Array): Statement {
  try {
    return parseStatement(payload, 'the statement');
  } catch (cause) {
    if (!isBoltsealError(cause)) throw cause;
    throw new Rejected('STATEMENT_INVALID', cause.message, cause);
  }
}

/** A certificate of somebody's own authority names nobody in the way that Fulcio's do, and still has a key. */
function certificateClaims(bundle: Bundle): Pick<BundleClaims, 'signer' | 'certifiedKey'> {
  try {
    const certificate = readCertificate(bundle);
    if (certificate === undefined) return {};
    return { signer: certificate.signer, certifiedKey: spkiOf(certificate.publicKey) };
  } catch (error) {
    if (!(error instanceof Rejected) || error.code !== 'CERTIFICATE_IDENTITY_INVALID') throw error;
    return { certifiedKey: spkiOf(new X509Certificate(leafOf(bundle)).publicKey) };
  }
}

function leafOf({ verificationMaterial: { content } }: Bundle): Buffer {
  if (content.$case === 'publicKey') return Buffer.alloc(0);
  const leaf = content.$case === 'certificate' ? content.certificate : content.x509CertificateChain.certificates[0];
  return Buffer.from(leaf?.rawBytes ?? []);
}
