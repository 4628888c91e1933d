import { generateKeyPairSync, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { ASN1Obj, X509Certificate as SigstoreCertificate } from '@sigstore/core';
import { FulcioSigner, InternalError } from '@sigstore/sign';
import type { Context } from '../base/context.ts';
import { isBoltsealError, messageOf } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { interruptible, RETRY } from './http.ts';
import type { IdentityToken } from './identity-token.ts';
import { localKey } from './key/signing-key.ts';
import { serviceError } from './service-error.ts';
import type { CertificateIdentity } from './signer.ts';
import type { Signing, SigningCertificate } from './signing.ts';

/** A key that lives in memory only, and the certificate that binds it to an identity for some minutes. */
export interface CertifiedKey extends Signing {
  readonly certificate: SigningCertificate;
  readonly notAfter: Date;
  readonly signer: CertificateIdentity;
}

const WHAT = 'a signing certificate';

/**
 * Makes a key and has Fulcio certify it for the token's identity.
 *
 * @throws BoltsealError FULCIO_FAILED, INTERRUPTED
 */
export async function certifyNewKey(url: string, token: IdentityToken, context: Context): Promise<CertifiedKey> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const fulcio = new FulcioSigner({
    fulcioBaseURL: url.replace(/\/+$/, ''),
    identityProvider: { getToken: () => Promise.resolve(token.raw) },
    keyHolder: {
      sign: (data) =>
        Promise.resolve({ signature: sign('sha256', data, privateKey), key: { $case: 'publicKey', publicKey: pem } }),
    },
    timeout: LIMITS.fulcioTimeoutMs,
    retry: RETRY,
  });
  const { key } = await interruptible(fulcio.sign(Buffer.alloc(0)), context).catch((cause: unknown) => {
    throw cause instanceof InternalError ? fulcioError(url, token, cause) : cause;
  });
  const certificatePem = key.$case === 'x509Certificate' ? key.certificate : '';
  return { ...readCertificate(certificatePem, publicKey, url), key: localKey(privateKey, 'the key of this run') };
}

/** The library names the whole token in one of its messages, and a server may send it back: neither gets out. */
function fulcioError(url: string, token: IdentityToken, cause: InternalError): Error {
  const status = statusOf(cause);
  const inner = cause.cause === undefined ? cause : cause.cause;
  const detail = messageOf(inner).replace(/^\(\d{3}\) /, '');
  const failure = { what: WHAT, url, detail, cause, secrets: [token.raw] };
  return serviceError('FULCIO_FAILED', status === undefined ? failure : { ...failure, status });
}

/** The HTTP status inside an error of @sigstore/sign. */
export function statusOf(error: InternalError): number | undefined {
  const { cause } = error;
  if (!(cause instanceof Error) || !('statusCode' in cause)) return undefined;
  return typeof cause.statusCode === 'number' ? cause.statusCode : undefined;
}

function readCertificate(pem: string, publicKey: KeyObject, url: string): Omit<CertifiedKey, 'key'> {
  const fail = (detail: string, cause?: unknown): Error =>
    serviceError('FULCIO_FAILED', { what: WHAT, url, status: 200, detail, cause });
  try {
    const certificate = new X509Certificate(pem);
    if (!certificate.publicKey.equals(publicKey)) throw fail('the certificate is for another key');
    return {
      notAfter: certificate.validToDate,
      signer: identityIn(certificate),
      certificate: { pem, der: Buffer.from(certificate.raw) },
    };
  } catch (cause) {
    if (isBoltsealError(cause)) throw cause;
    throw fail(`the answer holds no certificate: ${messageOf(cause)}`, cause);
  }
}

/** Fulcio, docs/oid-info.md: the issuer is a UTF8String in arc 8, and bare text in the older arc 1. */
function identityIn({ raw }: X509Certificate): CertificateIdentity {
  const certificate = SigstoreCertificate.parse(Buffer.from(raw));
  const current = certificate.extension('1.3.6.1.4.1.57264.1.8')?.value;
  const legacy = certificate.extension('1.3.6.1.4.1.57264.1.1')?.value;
  const issuer = current === undefined ? legacy : ASN1Obj.parseBuffer(Buffer.from(current)).value;
  return { kind: 'certificate', identity: certificate.subjectAltName ?? '', issuer: issuer?.toString('utf8') ?? '' };
}
