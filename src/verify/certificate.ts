import { X509Certificate as NodeCertificate, type KeyObject } from 'node:crypto';
import type { Bundle } from '@sigstore/bundle';
import { X509Certificate } from '@sigstore/core';
import { readIdentity } from './certificate-identity.ts';
import { Rejected } from './rejection.ts';
import type { CertificateSigner } from './verification.ts';

const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';

/** Extensions that are understood here or by the library; a critical one that is not must be refused: RFC 5280, 4.2. */
const UNDERSTOOD: readonly string[] = ['2.5.29.15', SUBJECT_ALTERNATIVE_NAME, '2.5.29.19', '2.5.29.35', '2.5.29.37'];

/** A signing certificate whose own form is right. Whether anybody vouches for it is not known yet. */
export interface SigningCertificate {
  readonly parsed: X509Certificate;
  readonly der: Buffer<ArrayBuffer>;
  readonly publicKey: KeyObject;
  readonly signer: CertificateSigner;
}

/**
 * Reads the leaf certificate of a bundle, or undefined when it is signed with a key. Two parsers must agree on its bytes.
 * Checked because @sigstore/verify does not: not a CA, code signing usage, one of each extension, no critical one
 * that nobody understands, one name, issuers that agree. Certificates beyond the leaf are ignored: trust comes
 * from the trust root, never from the bundle.
 *
 * @throws Rejected CERTIFICATE_INVALID, CERTIFICATE_IDENTITY_INVALID
 */
export function readCertificate({ verificationMaterial: { content } }: Bundle): SigningCertificate | undefined {
  if (content.$case === 'publicKey') return undefined;
  const leaf = content.$case === 'certificate' ? content.certificate : content.x509CertificateChain.certificates[0];
  const der = Buffer.from(leaf?.rawBytes ?? []);
  const { parsed, node } = parseTwice(der);
  checkExtensions(parsed);
  checkUsage(node);
  return { parsed, der, publicKey: node.publicKey, signer: readIdentity(parsed) };
}

function parseTwice(der: Buffer<ArrayBuffer>): { parsed: X509Certificate; node: NodeCertificate } {
  try {
    const node = new NodeCertificate(der);
    const parsed = X509Certificate.parse(der);
    const agree = node.raw.equals(der) && parsed.root.toDER().equals(der);
    if (!agree) throw new Error('it is not DER: encoding it again gives other bytes');
    void [parsed.notBefore, parsed.notAfter, parsed.publicKey, parsed.extensions];
    return { parsed, node };
  } catch (cause) {
    throw new Rejected('CERTIFICATE_INVALID', 'the certificate cannot be read', cause);
  }
}

function checkExtensions(certificate: X509Certificate): void {
  const seen = new Set<string>();
  for (const extension of certificate.extensions) {
    const oid = extension.subs[0]?.toOID() ?? '';
    if (seen.has(oid)) throw new Rejected('CERTIFICATE_INVALID', `the certificate has the extension ${oid} twice`);
    seen.add(oid);
    if (certificate.extension(oid)?.critical === true && !UNDERSTOOD.includes(oid))
      throw new Rejected(
        'CERTIFICATE_INVALID',
        `the certificate has the critical extension ${oid}, which is not known`,
      );
  }
}

function checkUsage(certificate: NodeCertificate): void {
  if (certificate.ca) throw new Rejected('CERTIFICATE_INVALID', 'the certificate is one of a certificate authority');
  // Node calls the extended key usages keyUsage.
  const usages: readonly string[] = certificate.keyUsage ?? [];
  if (!usages.includes(CODE_SIGNING))
    throw new Rejected('CERTIFICATE_INVALID', 'the certificate is not meant for signing code');
}
