import type { ASN1Obj, X509Certificate } from '@sigstore/core';
import { Rejected } from './rejection.ts';
import type { CertificateExtensions, CertificateSigner, ExtensionName } from './verification.ts';

/** Fulcio's oid-info document. 1.1 to 1.6 hold raw text, 1.8 and later a DER UTF8String. */
const FULCIO = '1.3.6.1.4.1.57264.1';
const ISSUER_RAW = `${FULCIO}.1`;
const ISSUER = `${FULCIO}.8`;
const USERNAME = `${FULCIO}.7`;

const EXTENSIONS: Readonly<Record<ExtensionName, { readonly arc: number; readonly raw?: true }>> = {
  githubWorkflowTrigger: { arc: 2, raw: true },
  githubWorkflowSha: { arc: 3, raw: true },
  githubWorkflowName: { arc: 4, raw: true },
  githubWorkflowRepository: { arc: 5, raw: true },
  githubWorkflowRef: { arc: 6, raw: true },
  buildSignerUri: { arc: 9 },
  buildSignerDigest: { arc: 10 },
  runnerEnvironment: { arc: 11 },
  sourceRepositoryUri: { arc: 12 },
  sourceRepositoryDigest: { arc: 13 },
  sourceRepositoryRef: { arc: 14 },
  sourceRepositoryIdentifier: { arc: 15 },
  sourceRepositoryOwnerUri: { arc: 16 },
  sourceRepositoryOwnerIdentifier: { arc: 17 },
  buildConfigUri: { arc: 18 },
  buildConfigDigest: { arc: 19 },
  buildTrigger: { arc: 20 },
  runInvocationUri: { arc: 21 },
  sourceRepositoryVisibilityAtSigning: { arc: 22 },
};

const UTF8_STRING = 0x0c;
const SUBJECT_ALTERNATIVE_NAME_TAGS = { other: 0, email: 1, uri: 6 } as const;

/**
 * Who a certificate was issued to. The library takes the first of several names, masks the high bit of every byte, and
 * prefers one of the two issuer extensions without looking at the other.
 *
 * @throws Rejected CERTIFICATE_IDENTITY_INVALID
 */
export function readIdentity(certificate: X509Certificate): CertificateSigner {
  try {
    const { identity, identityKind } = readName(certificate);
    return {
      kind: 'certificate',
      issuer: readIssuer(certificate),
      identity,
      identityKind,
      extensions: readAll(certificate),
    };
  } catch (cause) {
    if (cause instanceof Rejected) throw cause;
    throw new Rejected('CERTIFICATE_IDENTITY_INVALID', 'the identity in the certificate cannot be read', cause);
  }
}

function readName(certificate: X509Certificate): Pick<CertificateSigner, 'identity' | 'identityKind'> {
  const names = certificate.extSubjectAltName?.valueObj.subs[0]?.subs ?? [];
  const [name, ...more] = names;
  if (name === undefined) throw invalid('the certificate names nobody');
  if (more.length > 0) throw invalid(`the certificate has ${names.length} names, and one is enough to be mistaken`);
  const { tag } = name;
  if (tag.isContextSpecific(SUBJECT_ALTERNATIVE_NAME_TAGS.uri)) return { identity: ascii(name), identityKind: 'uri' };
  if (tag.isContextSpecific(SUBJECT_ALTERNATIVE_NAME_TAGS.email))
    return { identity: ascii(name), identityKind: 'email' };
  if (tag.isContextSpecific(SUBJECT_ALTERNATIVE_NAME_TAGS.other) && name.subs[0]?.toOID() === USERNAME)
    return { identity: utf8String(name.subs[1]?.subs[0]), identityKind: 'username' };
  throw invalid('the name in the certificate is neither a URI nor an e-mail address nor a user name');
}

function readIssuer(certificate: X509Certificate): string {
  const raw = text(certificate, ISSUER_RAW, true);
  const encoded = text(certificate, ISSUER, false);
  if (raw !== undefined && encoded !== undefined && raw !== encoded)
    throw invalid(`the certificate names two issuers: ${raw} and ${encoded}`);
  const issuer = encoded ?? raw;
  if (issuer === undefined || issuer === '') throw invalid('the certificate names no issuer');
  return issuer;
}

function readAll(certificate: X509Certificate): CertificateExtensions {
  const found = Object.entries(EXTENSIONS).map(([name, { arc, raw }]) => [
    name,
    text(certificate, `${FULCIO}.${arc}`, raw === true),
  ]);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined)) as CertificateExtensions;
}

function text(certificate: X509Certificate, oid: string, raw: boolean): string | undefined {
  const extension = certificate.extension(oid);
  if (extension === undefined) return undefined;
  return raw ? decode(extension.value) : utf8String(extension.valueObj.subs[0]);
}

function utf8String(value: ASN1Obj | undefined): string {
  if (value === undefined || value.tag.toDER() !== UTF8_STRING) throw invalid('an extension is not a UTF-8 string');
  return decode(value.value);
}

function ascii(name: ASN1Obj): string {
  if (name.value.some((byte) => byte > 0x7e)) throw invalid('the name in the certificate is not plain ASCII');
  return decode(name.value);
}

/** Without control characters: what is shown and compared must be what it looks like. */
function decode(bytes: Uint8Array): string {
  const value = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  if (/\p{Cc}/u.test(value)) throw invalid('the certificate holds control characters in a text');
  return value;
}

function invalid(message: string): Rejected {
  return new Rejected('CERTIFICATE_IDENTITY_INVALID', message);
}
