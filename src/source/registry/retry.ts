import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import type { HttpResponse } from '../http-message.ts';
import { isTransient } from '../transport-error.ts';

/** Statuses after which the same request may succeed. 501 is not one: it says "never". */
const RETRIED: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);
const BASE_DELAY_MS = 200;

/**
 * Makes a request until its answer is worth having: again after 429 and 5xx and broken connections, with growing, random
 * pauses, or the pause that Retry-After asks for. The last answer or error is returned as it is.
 */
export async function withRetries(
  send: () => Promise<HttpResponse>,
  discard: (response: HttpResponse) => Promise<void>,
  context: Context,
): Promise<HttpResponse> {
  const deadline = context.now().getTime() + LIMITS.retryBudgetMs;
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await send().then(
      (response) => ({ response }),
      (error: unknown) => ({ error }),
    );
    const delayMs = attempt < LIMITS.requestAttempts ? delayAfter(outcome, attempt, context) : undefined;
    if (delayMs === undefined || context.now().getTime() + delayMs > deadline) {
      if ('error' in outcome) throw outcome.error;
      return outcome.response;
    }
    if ('response' in outcome) await discard(outcome.response);
    context.emit({ kind: 'detail', message: `trying again in ${delayMs} ms` });
    await pause(delayMs, context);
  }
}

type Outcome = { readonly response: HttpResponse } | { readonly error: unknown };

/** Milliseconds to wait before the next attempt; undefined when there should be none. */
function delayAfter(outcome: Outcome, attempt: number, context: Context): number | undefined {
  if ('error' in outcome) return isTransient(outcome.error) ? backoffMs(attempt) : undefined;
  const { status, headers } = outcome.response;
  if (!RETRIED.has(status)) return undefined;
  const askedMs = retryAfterMs(headers['retry-after'], context.now());
  if (askedMs !== undefined && askedMs > LIMITS.retryAfterMs) return undefined;
  return Math.max(askedMs ?? 0, backoffMs(attempt));
}

/** Retry-After (RFC 9110, 10.2.3), which is seconds or a date, in milliseconds from now. */
export function retryAfterMs(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime());
}

/** Full jitter around a doubling pause, so that clients that failed together do not come back together. */
function backoffMs(attempt: number): number {
  const ceilingMs = BASE_DELAY_MS * 2 ** attempt;
  return randomInt(ceilingMs / 2, ceilingMs);
}

/** @throws BoltsealError INTERRUPTED */
export async function pause(delayMs: number, { signal }: Context): Promise<void> {
  try {
    await sleep(delayMs, undefined, { signal });
  } catch (cause) {
    throw new BoltsealError('INTERRUPTED', 'interrupted while waiting for the registry', {
      hint: 'Run it again when you want the answer.',
      cause,
    });
  }
}
