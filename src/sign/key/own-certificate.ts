import { X509Certificate } from 'node:crypto';
import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import type { SigningCertificate } from '../signing.ts';
import { readPem } from './pem.ts';
import type { SigningKey } from './signing-key.ts';

interface CertificateFiles {
  /** PEM or DER. */
  readonly certificate: Uint8Array;
  /** PEM, in any order: the authorities from the certificate's issuer to the root. */
  readonly chain?: Uint8Array;
}

export interface OwnCertificate extends SigningCertificate {
  /** The distinguished name, on one line. */
  readonly subject: string;
}

/**
 * Reads a certificate to sign with, and checks what a verifier would: that it is for this key, valid now, meant for
 * signing code, and that the chain, where one is given, leads up from it link by link.
 *
 * The chain does not go into the bundle: version 0.3 holds the one certificate, and verifiers take authorities from what
 * they trust, as cosign 3 does.
 *
 * @throws BoltsealError KEY_INVALID
 */
export function readOwnCertificate(files: CertificateFiles, key: SigningKey, context: Context): OwnCertificate {
  const [certificate, ...more] = parseAll(files.certificate, 'the certificate');
  if (certificate === undefined || more.length > 0)
    throw invalid(`its file holds ${more.length + 1} certificates`, 'Put the authorities above it into a chain file.');
  if (!certificate.publicKey.equals(key.publicKey))
    throw invalid('it is for another key', 'Give the certificate that was issued for the key, or the key it is for.');
  checkValidity(certificate, context);
  checkUsage(certificate);
  if (files.chain !== undefined) checkChain(certificate, parseAll(files.chain, 'the certificate chain'), context);
  return {
    pem: certificate.toString(),
    der: Buffer.from(certificate.raw),
    subject: certificate.subject.replaceAll('\n', ', '),
  };
}

function parseAll(bytes: Uint8Array, what: string): readonly X509Certificate[] {
  if (bytes.length > LIMITS.keyFileBytes) throw invalid(`${what} is too large`, 'Check which file was given.');
  const text = Buffer.from(bytes).toString('latin1');
  const found = text.includes('-----BEGIN')
    ? readPem(text).filter(({ label }) => label === 'CERTIFICATE')
    : [{ bytes: Buffer.from(bytes) }];
  if (found.length === 0) throw invalid(`${what} holds no certificate`, 'Give a PEM file with CERTIFICATE blocks.');
  try {
    return found.map((block) => new X509Certificate(block.bytes));
  } catch (cause) {
    throw invalid(`${what} cannot be read`, 'Give a PEM or DER file with an X.509 certificate.', cause);
  }
}

function checkValidity({ validFromDate: from, validToDate: to, subject }: X509Certificate, context: Context): void {
  const now = context.now();
  if (now >= from && now <= to) return;
  throw invalid(
    `${oneLine(subject)} is valid from ${from.toISOString()} to ${to.toISOString()}, and now it is ${now.toISOString()}`,
    'Get a certificate that is valid now: a signature made outside its time is rejected by everybody.',
  );
}

/** RFC 5280, section 4.2.1.12: code signing, or any purpose. A certificate without the extension may do everything. */
const SIGNING_PURPOSES: readonly string[] = ['1.3.6.1.5.5.7.3.3', '2.5.29.37.0'];

function checkUsage({ ca, keyUsage }: X509Certificate): void {
  if (ca) throw invalid('it is that of a certificate authority', 'Sign with a certificate that the authority issued.');
  const purposes = keyUsage as readonly string[] | undefined;
  if (purposes === undefined || purposes.some((purpose) => SIGNING_PURPOSES.includes(purpose))) return;
  throw invalid(
    'it is not meant for signing code',
    'Ask the authority for one with the extended key usage codeSigning.',
  );
}

/** Every certificate of the chain has to be a link, so that a file with the wrong ones is noticed here. */
function checkChain(leaf: X509Certificate, chain: readonly X509Certificate[], context: Context): void {
  const left = new Set(chain.filter((certificate) => !certificate.raw.equals(leaf.raw)));
  let at = leaf;
  while (left.size > 0) {
    const issuer = [...left].find(
      (candidate) => candidate.ca && at.checkIssued(candidate) && at.verify(candidate.publicKey),
    );
    if (issuer === undefined)
      throw invalid(
        `the chain has no certificate authority that issued ${oneLine(at.subject)}`,
        'Give the authorities from its issuer to the root, and no others.',
      );
    checkValidity(issuer, context);
    left.delete(issuer);
    at = issuer;
  }
}

function oneLine(subject: string): string {
  return subject.replaceAll('\n', ', ');
}

function invalid(problem: string, hint: string, cause?: unknown): BoltsealError {
  return new BoltsealError('KEY_INVALID', `the certificate to sign with cannot be used: ${problem}`, {
    hint,
    ...(cause === undefined ? {} : { cause }),
  });
}
