import type { Context } from '../../base/context.ts';
import { BoltsealError, isBoltsealError, messageOf } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { asObject, ShapeError, type JsonObject } from '../../base/shape.ts';
import { requestService } from '../http.ts';
import { serviceError } from '../service-error.ts';

interface KeyServiceCall<T> {
  /** What is asked for, for messages: "the public key of hashivault://release". */
  readonly what: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as it is; a call without is a GET. */
  readonly body?: string;
  /** Texts that must not appear in messages. */
  readonly secrets: readonly string[];
  readonly timeoutMs?: number;
  readonly read: (answer: JsonObject) => T;
}

/**
 * Asks a key service and reads its JSON answer. Credentials go over TLS, or to this machine.
 *
 * @throws BoltsealError KEY_SERVICE_FAILED, LIMIT_EXCEEDED, INTERRUPTED
 */
export async function callKeyService<T>(call: KeyServiceCall<T>, context: Context): Promise<T> {
  const { what, url, headers, body, secrets, read } = call;
  checkTransport(url, what);
  const answer = await requestService(
    {
      code: 'KEY_SERVICE_FAILED',
      what,
      url,
      method: body === undefined ? 'GET' : 'POST',
      headers: { accept: 'application/json', ...headers },
      ...(body === undefined ? {} : { body }),
      timeoutMs: call.timeoutMs ?? LIMITS.keyServiceTimeoutMs,
      maxBytes: LIMITS.keyAnswerBytes,
      secrets,
    },
    context,
  );
  try {
    return read(asObject(parseJson(answer, { what: 'the answer', maxBytes: LIMITS.keyAnswerBytes }), 'the answer'));
  } catch (cause) {
    if (!(cause instanceof ShapeError) && !isBoltsealError(cause, 'JSON_INVALID')) throw cause;
    throw serviceError('KEY_SERVICE_FAILED', { what, url, status: 200, detail: messageOf(cause), secrets });
  }
}

/** Names of this machine, to which plain HTTP is spoken: agents and emulators are there. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** Cloud metadata services are at link-local addresses without TLS, by the clouds' own design. */
const METADATA_HOSTS: readonly string[] = [
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  'metadata.google.internal',
];

function checkTransport(text: string, what: string): void {
  const url = URL.parse(text);
  if (url?.protocol === 'https:') return;
  if (url?.protocol === 'http:' && (isLoopback(url.hostname) || METADATA_HOSTS.includes(url.hostname))) return;
  throw new BoltsealError('KEY_SERVICE_FAILED', `${what} is not asked for over an unencrypted connection`, {
    hint: 'Give the address of the key service with https://; plain HTTP is for this machine only.',
  });
}

/** @throws BoltsealError KEY_INVALID */
export function invalidReference(reference: string, form: string): BoltsealError {
  return new BoltsealError('KEY_INVALID', `${reference} does not name a key`, { hint: `Write it as ${form}.` });
}

/** @throws BoltsealError KEY_SERVICE_FAILED */
export function missingCredentials(service: string, hint: string): BoltsealError {
  return new BoltsealError('KEY_SERVICE_FAILED', `there are no credentials for ${service}`, { hint });
}
