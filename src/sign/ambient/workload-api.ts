import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { createConnection, isIP, type NetConnectOpts } from 'node:net';
import type { Context } from '../../base/context.ts';
import { BoltsealError, messageOf, systemCodeOf } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import { outsideText } from '../outside-text.ts';
import { decodeJwtSvidResponse, encodeJwtSvidRequest, type JwtSvid } from './jwt-svid-message.ts';

interface WorkloadApiRequest {
  /** `unix:///PATH` or `tcp://IP:PORT` (SPIFFE Workload Endpoint 1.0, section 4). */
  readonly endpoint: string;
  readonly audience: string;
  readonly timeoutMs?: number;
}

const METHOD = '/SpiffeWorkloadAPI/FetchJWTSVID';
/** A gRPC message has a byte that says whether it is compressed and four bytes of length before it. */
const PREFIX_BYTES = 5;

/**
 * Asks the SPIFFE Workload API for this process's JWT-SVIDs (FetchJWTSVID): one unary gRPC call over HTTP/2. The first is
 * the default identity.
 *
 * @throws BoltsealError TOKEN_INVALID, INTERRUPTED
 */
export async function fetchJwtSvids(request: WorkloadApiRequest, context: Context): Promise<readonly JwtSvid[]> {
  const { endpoint, audience, timeoutMs = LIMITS.tokenTimeoutMs } = request;
  const target = parseEndpoint(endpoint);
  const timeout = AbortSignal.timeout(timeoutMs);
  const session = connect('http://localhost', { createConnection: () => createConnection(target) });
  const broken = Promise.withResolvers<never>();
  session.on('error', broken.reject);
  try {
    const call = callUnary(session, encodeJwtSvidRequest(audience), AbortSignal.any([context.signal, timeout]));
    return decodeJwtSvidResponse(await Promise.race([broken.promise, call]));
  } catch (cause) {
    if (context.signal.aborted)
      throw new BoltsealError('INTERRUPTED', 'asking for a SPIFFE identity was interrupted', {
        hint: 'Nothing was signed. Sign again.',
        cause,
      });
    if (cause instanceof BoltsealError) throw cause;
    const waited = timeout.aborted ? `no answer within ${timeoutMs / 1000} s` : undefined;
    throw failed(waited ?? reasonOf(cause), { hint: UNREACHABLE_HINT, cause });
  } finally {
    session.destroy();
  }
}

const UNREACHABLE_HINT =
  'Check that SPIFFE_ENDPOINT_SOCKET names the socket of a running agent, and that it is mounted into this container.';

function parseEndpoint(endpoint: string): NetConnectOpts {
  const url = URL.parse(endpoint);
  if (url?.protocol === 'unix:' && url.host === '' && url.search === '' && url.pathname.startsWith('/'))
    return { path: decodeURIComponent(url.pathname) };
  if (url?.protocol === 'tcp:' && isIP(url.hostname.replaceAll(/[[\]]/g, '')) !== 0 && url.port !== '')
    return { host: url.hostname.replaceAll(/[[\]]/g, ''), port: Number(url.port) };
  throw failed('SPIFFE_ENDPOINT_SOCKET is neither unix:///PATH nor tcp://IP:PORT', {
    hint: 'Write the address of the SPIFFE agent as SPIFFE Workload Endpoint, section 4, has it.',
  });
}

/** The one message of the answer to a unary call (gRPC over HTTP2, protocol description). */
async function callUnary(session: ClientHttp2Session, message: Buffer, signal: AbortSignal): Promise<Buffer> {
  const stream = session.request(
    {
      ':method': 'POST',
      ':path': METHOD,
      'content-type': 'application/grpc',
      te: 'trailers',
      [SECURITY_HEADER]: 'true',
    },
    { signal },
  );
  let headers: IncomingHttpHeaders = {};
  stream.on('response', (found) => (headers = { ...headers, ...found }));
  stream.on('trailers', (found) => (headers = { ...headers, ...found }));
  stream.end(Buffer.concat([prefixFor(message), message]));
  const chunks: Buffer[] = [];
  let seenBytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    seenBytes += chunk.length;
    if (seenBytes > LIMITS.tokenResponseBytes) throw new Error(`more than ${LIMITS.tokenResponseBytes} bytes`);
    chunks.push(chunk);
  }
  checkStatus(headers);
  return unframe(Buffer.concat(chunks));
}

/** The agent refuses requests without it, so that a web page cannot make a browser send one (section 3.1). */
const SECURITY_HEADER = 'workload.spiffe.io';

function prefixFor(message: Buffer): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return prefix;
}

function checkStatus(headers: IncomingHttpHeaders): void {
  const status = headers['grpc-status'];
  if (status === '0') return;
  if (typeof status !== 'string')
    throw new Error(`HTTP ${String(headers[':status'] ?? 'without status')}, not an answer of gRPC`);
  const { name, hint } = STATUSES[status] ?? { name: `gRPC status ${outsideText(status)}`, hint: UNREACHABLE_HINT };
  const words = outsideText(percentDecoded(String(headers['grpc-message'] ?? '')));
  throw failed(words === '' ? name : `${name}: ${words}`, { hint });
}

/** As gRPC sends its message; what is not rightly encoded stays as it is. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** SPIFFE Workload Endpoint 1.0, appendix A, and what an agent's policy leads to. */
const STATUSES: Readonly<Record<string, { readonly name: string; readonly hint: string }>> = {
  '3': { name: 'InvalidArgument', hint: 'Check that the agent allows tokens for this audience.' },
  '7': {
    name: 'PermissionDenied',
    hint: 'Register an entry for this workload with the SPIFFE server, and check its selectors.',
  },
  '12': { name: 'Unimplemented', hint: 'This agent gives no JWT-SVIDs; use one that does, or another identity.' },
  '14': { name: 'Unavailable', hint: 'The agent is not ready yet; try again in a moment.' },
};

function unframe(body: Buffer): Buffer {
  if (body.length < PREFIX_BYTES || body[0] !== 0 || body.readUInt32BE(1) !== body.length - PREFIX_BYTES)
    throw new Error('the answer is not one uncompressed gRPC message');
  return body.subarray(PREFIX_BYTES);
}

/** ECONNREFUSED says enough; Node's own codes do not. */
function reasonOf(error: unknown): string {
  const code = systemCodeOf(error);
  return code === undefined || code.startsWith('ERR_') ? outsideText(messageOf(error)) : code;
}

function failed(detail: string, options: { readonly hint: string; readonly cause?: unknown }): BoltsealError {
  return new BoltsealError('TOKEN_INVALID', `the SPIFFE Workload API gave no identity token: ${detail}`, options);
}
