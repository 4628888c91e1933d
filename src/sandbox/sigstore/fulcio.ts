import { createPublicKey, verify, X509Certificate, type KeyObject } from 'node:crypto';
import type { JWTPayload } from 'jose';
import type { Context } from '../../base/context.ts';
import { BoltsealError, messageOf } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import { asObject, asString, optional, required } from '../../base/shape.ts';
import { json, readBody, type Route, type SandboxReply, type SandboxRequest } from '../http/message.ts';
import { serve, type Service } from '../http/server.ts';
import { rpcError } from './api-error.ts';
import { extensionsOf } from './certificate-extensions.ts';
import { SIGSTORE_AUDIENCE, type Issuer } from './issuer.ts';
import { ecdsaLogKey, newEcdsaKey, type LogKey } from './log-key.ts';
import { importMock, type CertificateAuthority } from './mock-package.ts';
import { bytesOf, pairOf, toPem, wholeSecond } from './x509.ts';

/** A certificate authority that answers as Fulcio's HTTP API v2 does, and the CT log that its certificates are in. */
export interface Fulcio extends Service {
  /** DER. */
  readonly rootCertificate: Buffer;
  readonly ctLog: LogKey;
}

const MAX_REQUEST_BYTES = 64 * 1024;

/** @throws BoltsealError SANDBOX_UNAVAILABLE */
export async function startFulcio(issuer: Issuer, port: number, context: Context): Promise<Fulcio> {
  const mock = await importMock();
  const ctKey = newEcdsaKey();
  const clock = { getCurrentTime: () => wholeSecond(context) };
  const ctLog = Object.assign(await mock.initializeCTLog(pairOf(ctKey)), clock);
  const authority = Object.assign(await mock.initializeCA(pairOf(newEcdsaKey()), ctLog), clock);
  const rootCertificate = bytesOf(authority.rootCertificate);
  checkClock(rootCertificate, context);
  const service = await serve({ name: 'fulcio', port, routes: () => routes(authority, issuer) }, context);
  return { ...service, rootCertificate, ctLog: ecdsaLogKey('ctlog', ctKey) };
}

/** The library dates its root by the machine's clock. With another clock behind it, nothing signed here would verify. */
function checkClock(rootCertificate: Buffer, context: Context): void {
  const { validFromDate } = new X509Certificate(rootCertificate);
  if (validFromDate <= context.now()) return;
  const message = `the sandbox was given the time ${context.now().toISOString()}, which is behind this machine's`;
  throw new BoltsealError('SANDBOX_UNAVAILABLE', message, { hint: "Start the sandbox with the machine's own clock." });
}

function routes(authority: CertificateAuthority, issuer: Issuer): readonly Route[] {
  return [
    {
      methods: ['POST'],
      path: /^\/api\/v2\/signingCert$/,
      answer: (request) => issue(request, authority, issuer),
    },
    {
      methods: ['GET'],
      path: /^\/api\/v2\/trustBundle$/,
      answer: () => json(200, { chains: [{ certificates: [toPem(bytesOf(authority.rootCertificate))] }] }),
    },
  ];
}

/** Everything the library's own handler leaves unchecked is checked here: the token, and that the caller has the key. */
async function issue(request: SandboxRequest, authority: CertificateAuthority, issuer: Issuer): Promise<SandboxReply> {
  const asked = await readRequest(request);
  const claims = await issuer.verify(asked.token, SIGSTORE_AUDIENCE).catch((error: unknown) => {
    throw rpcError('unauthenticated', `There was an error processing the identity token: ${messageOf(error)}`);
  });
  const identity = identityOf(claims);
  const key = readKey(asked.publicKey);
  if (!verify('sha256', Buffer.from(identity), key, asked.proof))
    throw rpcError('invalidArgument', 'The signature supplied in the request could not be verified');
  const certificate = await authority.issueCertificate({
    publicKey: key.export({ format: 'der', type: 'spki' }),
    subjectAltName: identity,
    extensions: [...extensionsOf(claims)],
  });
  const certificates = [toPem(bytesOf(certificate)), toPem(bytesOf(authority.rootCertificate))];
  return json(200, { signedCertificateEmbeddedSct: { chain: { certificates } } });
}

interface CertificateRequest {
  readonly token: string;
  readonly publicKey: string;
  readonly proof: Buffer;
}

/** The token is in the body, or in the header, where Go's client puts it. */
async function readRequest({ stream, headers }: SandboxRequest): Promise<CertificateRequest> {
  const tooLarge = rpcError('invalidArgument', 'The request is too large').reply;
  const bytes = await readBody(stream, MAX_REQUEST_BYTES, tooLarge);
  try {
    const body = asObject(parseJson(bytes, { what: 'the request', maxBytes: MAX_REQUEST_BYTES }), 'the request');
    const request = required(body, 'publicKeyRequest', asObject);
    const credentials = optional(body, 'credentials', asObject) ?? {};
    const bearer = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1];
    return {
      token: optional(credentials, 'oidcIdentityToken', asString) ?? asString(bearer, 'credentials.oidcIdentityToken'),
      publicKey: required(required(request, 'publicKey', asObject), 'content', asString),
      proof: Buffer.from(required(request, 'proofOfPossession', asString), 'base64'),
    };
  } catch (error) {
    throw rpcError('invalidArgument', messageOf(error));
  }
}

/** What the challenge is made over, and what the certificate will name. */
function identityOf(claims: JWTPayload): string {
  if (claims['email'] !== undefined)
    throw rpcError(
      'invalidArgument',
      'The sandbox issues certificates for URI subjects only, not for e-mail addresses',
    );
  const subject = claims.sub ?? '';
  if (!URL.canParse(subject)) throw rpcError('invalidArgument', `The subject of the token is not a URI: ${subject}`);
  return subject;
}

function readKey(pem: string): KeyObject {
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  } catch (error) {
    throw rpcError(
      'invalidArgument',
      `The public key supplied in the request could not be parsed: ${messageOf(error)}`,
    );
  }
  throw rpcError('invalidArgument', 'The sandbox certifies ECDSA P-256 keys only');
}
