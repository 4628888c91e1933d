import type { CustomFetch } from 'openid-client';
import type { Context } from '../../base/context.ts';
import { LIMITS } from '../../base/limits.ts';
import { parseSecureUrl } from '../secure-url.ts';
import { redactUrl } from '../service-error.ts';

/**
 * The library's way to the network: no answer is read beyond the limit, every request ends with the run, and no endpoint
 * that an issuer names is asked over plain http, unless it is on this machine.
 */
export function boundedFetch(context: Context): CustomFetch {
  return async (address, { body, headers, method, redirect, signal }) => {
    if (parseSecureUrl(address) === undefined)
      throw new Error(`the issuer names the endpoint ${redactUrl(address)}, which is not https`);
    const response = await fetch(address, {
      method,
      headers,
      redirect,
      signal: AbortSignal.any([context.signal, ...(signal === undefined ? [] : [signal])]),
      ...(body === undefined || body === null ? {} : { body }),
    });
    context.emit({ kind: 'detail', message: `${method} ${redactUrl(address)} → ${response.status}` });
    const bytes = await readBounded(response, address);
    const { status, statusText } = response;
    return new Response(bytes.length === 0 ? null : bytes, { status, statusText, headers: response.headers });
  };
}

async function readBounded(response: Response, address: string): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let seenBytes = 0;
  for await (const chunk of response.body ?? []) {
    seenBytes += chunk.length;
    if (seenBytes > LIMITS.tokenResponseBytes)
      throw new Error(`${redactUrl(address)} answered with more than ${LIMITS.tokenResponseBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
