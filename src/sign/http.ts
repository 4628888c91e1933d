import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '../base/context.ts';
import { BoltsealError, messageOf, systemCodeOf } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { redactUrl, serviceError, type ServiceCode } from './service-error.ts';

interface ServiceRequest {
  readonly code: ServiceCode;
  /** What is asked for, for messages: "a timestamp". */
  readonly what: string;
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly secrets?: readonly string[];
  /** A header that only the right server's answers have. */
  readonly requiredHeader?: readonly [name: string, value: string];
  /** A status beside 2xx whose Location says where the answer is: it is fetched there. Same origin only. */
  readonly answerElsewhere?: number;
}

/** A kept-alive connection may be closed under a request, and services shed load: twice more, then it is an error. */
export const RETRY = { retries: 2, minTimeout: 250, factor: 4 } as const;

/**
 * Asks a signing service and returns the body of its 2xx answer. Connection errors, 408, 429 and 5xx are tried again.
 *
 * @throws BoltsealError with the request's code, or INTERRUPTED
 */
export async function requestService(request: ServiceRequest, context: Context): Promise<Buffer> {
  for (let attempt = 0; ; attempt += 1) {
    const outcome = await attemptOnce(request, context);
    if (outcome.kind === 'answered') return outcome.body;
    context.emit({ kind: 'detail', message: `attempt ${attempt + 1}: ${outcome.error.message}` });
    if (!outcome.again || attempt === RETRY.retries) throw outcome.error;
    const waitMs = Math.max(outcome.waitMs, RETRY.minTimeout * RETRY.factor ** attempt);
    await interruptible(delay(waitMs, undefined, { signal: context.signal }), context);
  }
}

type Outcome =
  | { readonly kind: 'answered'; readonly body: Buffer }
  | { readonly kind: 'failed'; readonly error: BoltsealError; readonly again: boolean; readonly waitMs: number };

async function attemptOnce(request: ServiceRequest, context: Context): Promise<Outcome> {
  const { code, what, url, secrets = [] } = request;
  const timeout = AbortSignal.timeout(request.timeoutMs);
  try {
    const response = await fetch(url, {
      method: request.method,
      headers: request.headers,
      redirect: 'error',
      signal: AbortSignal.any([context.signal, timeout]),
      ...(request.body === undefined ? {} : { body: request.body }),
    });
    return await judge(response, request, context);
  } catch (cause) {
    if (context.signal.aborted) throw interrupted(cause);
    const limit = cause instanceof BoltsealError;
    const waited = timeout.aborted ? `no answer within ${request.timeoutMs / 1000} s` : undefined;
    const detail = waited ?? systemCodeOf(cause) ?? messageOf(cause);
    const error = limit ? cause : serviceError(code, { what, url, detail, cause, secrets });
    return { kind: 'failed', error, again: !limit && !timeout.aborted, waitMs: 0 };
  }
}

async function judge(response: Response, request: ServiceRequest, context: Context): Promise<Outcome> {
  const { code, what, url, secrets = [] } = request;
  const [name, value] = request.requiredHeader ?? [];
  if (name !== undefined && response.headers.get(name) !== value) {
    await response.body?.cancel();
    const detail = `the answer has no header "${name}: ${value ?? ''}", so it is from another server`;
    return { kind: 'failed', error: serviceError(code, { what, url, detail, secrets }), again: false, waitMs: 0 };
  }
  if (response.ok) return { kind: 'answered', body: await readLimited(response, request.maxBytes) };
  const elsewhere = URL.parse(response.headers.get('location') ?? '', url);
  if (response.status === request.answerElsewhere && elsewhere !== null && elsewhere.origin === new URL(url).origin)
    return attemptOnce(lookUp(request, elsewhere.href), context);
  const detail = explain(await readLimited(response, LIMITS.errorBodyBytes).catch(() => Buffer.alloc(0)), response);
  const again = response.status === 408 || response.status === 429 || response.status >= 500;
  const error = serviceError(code, { what, url, status: response.status, detail, secrets });
  return { kind: 'failed', error, again, waitMs: retryAfterMs(response) };
}

function lookUp(request: ServiceRequest, url: string): ServiceRequest {
  const { body: _body, answerElsewhere: _answered, ...rest } = request;
  return { ...rest, url, method: 'GET' };
}

async function readLimited(response: Response, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let seenBytes = 0;
  for await (const chunk of response.body ?? []) {
    seenBytes += chunk.length;
    if (seenBytes > maxBytes)
      throw new BoltsealError(
        'LIMIT_EXCEEDED',
        `${redactUrl(response.url)} answered with more than ${maxBytes} bytes`,
        {
          hint: 'No signing service sends this much. Check the URL in the signing configuration.',
        },
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What Retry-After asks for in seconds (RFC 9110, section 10.2.3), as long as a person at a terminal would wait. */
function retryAfterMs(response: Response): number {
  const header = response.headers.get('retry-after') ?? '';
  return /^\d+$/.test(header) ? Math.min(Number(header) * 1000, MAX_RETRY_AFTER_MS) : 0;
}

const MAX_RETRY_AFTER_MS = 30_000;

/** The `message` of a JSON error body, or the start of any other text. */
function explain(body: Buffer, response: Response): string {
  const text = body.toString('utf8').replaceAll(/\s+/g, ' ').trim();
  const quoted = /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  return (quoted ?? text).slice(0, 300) || response.statusText || 'no explanation';
}

/** Waits for `work`, or until the run is interrupted, for calls that take no signal. @throws BoltsealError INTERRUPTED */
export async function interruptible<T>(work: Promise<T>, { signal }: Context): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(interrupted(signal.reason));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([work, aborted.promise]);
  } catch (error) {
    throw signal.aborted ? interrupted(error) : error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function interrupted(cause: unknown): BoltsealError {
  return new BoltsealError('INTERRUPTED', 'signing was interrupted', {
    hint: 'Nothing was attached. Sign again; a certificate or log entry made so far does no harm.',
    cause,
  });
}
