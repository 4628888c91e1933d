import { BoltsealError, messageOf } from '../base/errors.ts';
import { outsideText } from './outside-text.ts';

export type ServiceCode = 'FULCIO_FAILED' | 'REKOR_FAILED' | 'TSA_FAILED' | 'TOKEN_INVALID' | 'KEY_SERVICE_FAILED';

interface Failure {
  /** What was asked for: "a certificate". */
  readonly what: string;
  readonly url: string;
  /** HTTP status; absent when there was no answer. */
  readonly status?: number;
  readonly detail: string;
  readonly cause?: unknown;
  /** Texts that must not appear: tokens. */
  readonly secrets?: readonly string[];
}

/** The error for a service that did not do its part: what was asked of whom, what it answered, and what to do next. */
export function serviceError(code: ServiceCode, failure: Failure): BoltsealError {
  const { what, url, status, detail, secrets = [] } = failure;
  const answer = status === undefined ? '' : `HTTP ${status}: `;
  const message = `${what} was not given by ${redactUrl(url)}: ${answer}${outsideText(detail, secrets)}`;
  const cause = mentionsAny(failure.cause, secrets) ? undefined : failure.cause;
  return new BoltsealError(code, message, { hint: hintFor(code, status), ...(cause === undefined ? {} : { cause }) });
}

/** Without user name, password, query and fragment: any of them may be a credential. */
export function redactUrl(text: string): string {
  const url = URL.parse(text);
  return url === null ? 'a malformed URL' : `${url.origin}${url.pathname === '/' ? '' : url.pathname}`;
}

function mentionsAny(error: unknown, secrets: readonly string[]): boolean {
  for (let at: unknown = error, depth = 0; at !== undefined && depth < 8; depth += 1) {
    const text = `${messageOf(at)} ${at instanceof Error ? at.stack : ''}`;
    if (secrets.some((secret) => secret !== '' && text.includes(secret))) return true;
    at = at instanceof Error ? at.cause : undefined;
  }
  return false;
}

const REFUSAL_HINTS: Readonly<Record<ServiceCode, string>> = {
  FULCIO_FAILED:
    'Check that the identity token is from an issuer this certificate authority trusts, for its audience, and not expired.',
  REKOR_FAILED:
    'The log refuses the entry as it is; check that the signing configuration names its API version rightly.',
  TSA_FAILED: 'Check that the URL in the signing configuration is the one timestamp requests go to, path included.',
  KEY_SERVICE_FAILED:
    'Check the key reference, and that these credentials may read the public key and sign with the key.',
  TOKEN_INVALID: 'Check that the job may request identity tokens (in GitHub Actions: permissions: id-token: write).',
};

function hintFor(code: ServiceCode, status: number | undefined): string {
  if (code === 'KEY_SERVICE_FAILED' && status === undefined)
    return 'Check the network and the address of the key service, then sign again.';
  if (code === 'KEY_SERVICE_FAILED' && status === 404) return 'Nothing is there by this name; check the key reference.';
  if (status === undefined) return 'Check the network and the URL in the signing configuration, then sign again.';
  if (status === 429) return 'The service asks to slow down; wait a minute, then sign again.';
  if (status >= 500)
    return "The service has trouble of its own; look at its operator's status page and sign again later.";
  if (status === 404) return 'Nothing is at this URL; check the URL in the signing configuration.';
  return REFUSAL_HINTS[code];
}
