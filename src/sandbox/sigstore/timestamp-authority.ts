import type { Context } from '../../base/context.ts';
import { readBody, type Route, type SandboxReply, type SandboxRequest } from '../http/message.ts';
import { serve, type Service } from '../http/server.ts';
import { plainError } from './api-error.ts';
import { newEcdsaKey } from './log-key.ts';
import { importMock, type TimestampIssuer } from './mock-package.ts';
import { MAX_TIMESTAMP_REQUEST_BYTES, readDerRequest, readJsonRequest } from './timestamp-request.ts';
import { bytesOf, pairOf, toPem, wholeSecond } from './x509.ts';

/** A timestamp authority (RFC 3161) that answers as sigstore's does, and to `application/timestamp-query` too. */
export interface TimestampAuthority extends Service {
  /** DER, leaf first. */
  readonly certificates: readonly Buffer[];
  /** Where to send requests; a signing configuration names this, not the service's root. */
  readonly endpoint: string;
}

const DEFAULT_POLICY_OID = '1.3.6.1.4.1.57264.2';
const DEFAULT_NONCE = 1;

/** @throws BoltsealError SANDBOX_UNAVAILABLE */
export async function startTimestampAuthority(port: number, context: Context): Promise<TimestampAuthority> {
  const mock = await importMock();
  const clock = { getCurrentTime: () => wholeSecond(context) };
  const authority = Object.assign(await mock.initializeTSA(pairOf(newEcdsaKey())), clock);
  const certificates = [authority.intCertificate, authority.rootCertificate].map(bytesOf);
  const service = await serve({ name: 'tsa', port, routes: () => routes(authority, certificates) }, context);
  return { ...service, certificates, endpoint: `${service.url}/api/v1/timestamp` };
}

function routes(authority: TimestampIssuer, certificates: readonly Buffer[]): readonly Route[] {
  return [
    { methods: ['POST'], path: /^\/api\/v1\/timestamp$/, answer: (request) => stamp(request, authority) },
    {
      methods: ['GET'],
      path: /^\/api\/v1\/timestamp\/certchain$/,
      answer: () => ({
        status: 200,
        headers: { 'content-type': 'application/pem-certificate-chain' },
        body: certificates.map(toPem).join(''),
      }),
    },
  ];
}

async function stamp({ stream, headers }: SandboxRequest, authority: TimestampIssuer): Promise<SandboxReply> {
  const tooLarge = plainError(413, 'the request is too large').reply;
  const body = await readBody(stream, MAX_TIMESTAMP_REQUEST_BYTES, tooLarge);
  const type = headers['content-type']?.split(';')[0]?.trim();
  if (type !== 'application/json' && type !== 'application/timestamp-query')
    throw plainError(415, `unsupported media type "${type ?? ''}"`);
  const request = type === 'application/json' ? readJsonRequest(body) : readDerRequest(body);
  const response = await authority.timestamp({
    artifactHash: request.hash,
    hashAlgorithmOID: request.hashOid,
    nonce: request.nonce ?? DEFAULT_NONCE,
    policyOID: request.policyOid ?? DEFAULT_POLICY_OID,
    certReq: request.wantsCertificates,
  });
  return { status: 201, headers: { 'content-type': 'application/timestamp-reply' }, body: bytesOf(response) };
}
