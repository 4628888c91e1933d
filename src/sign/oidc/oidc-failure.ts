import type { Context } from '../../base/context.ts';
import { BoltsealError, isBoltsealError, messageOf } from '../../base/errors.ts';
import { outsideText } from '../outside-text.ts';

interface Surroundings {
  /** What did not come about, for the message: "its configuration could not be read". */
  readonly doing: string;
  readonly issuer: string;
  readonly clientSecret?: string;
}

/**
 * What an error of the OIDC library means for the person who signs. The library's error is not kept as a cause: its own
 * causes are whole answers of the issuer, and those hold tokens.
 */
export function explainFailure(error: unknown, around: Surroundings, { signal }: Context): BoltsealError {
  if (isBoltsealError(error)) return error;
  if (signal.aborted)
    return new BoltsealError('INTERRUPTED', 'signing in was interrupted', { hint: 'Nothing was signed. Sign again.' });
  const { doing, issuer, clientSecret = '' } = around;
  const message = outsideText(`no identity token from ${issuer}: ${doing}: ${reasonOf(error)}`, [clientSecret]);
  return new BoltsealError('TOKEN_INVALID', message, { hint: hintFor(error) });
}

/** The error code of RFC 6749 (5.2, 4.1.2.1) and RFC 8628 (3.5) with its description, else every message down the chain. */
function reasonOf(error: unknown): string {
  const { error: code, error_description: description } = error as { error?: unknown; error_description?: unknown };
  if (typeof code === 'string') return typeof description === 'string' ? `${code} (${description})` : code;
  const messages: string[] = [];
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1)
    messages.push(messageOf(at));
  return messages.join(': ') || 'no reason given';
}

const HINTS: Readonly<Record<string, string>> = {
  access_denied: 'Sign in again and allow it, or sign in as somebody who may.',
  expired_token: 'Sign again, and enter the code before it expires.',
  invalid_grant: 'What the issuer handed out was used before or has expired. Sign again.',
  invalid_client: 'Check --oidc-client-id and --oidc-client-secret-file against what is registered with the issuer.',
  unauthorized_client: 'Have the issuer allow this client to use this flow, or choose another with --fulcio-auth-flow.',
  unsupported_grant_type: 'This issuer does not know the flow; choose another with --fulcio-auth-flow.',
  invalid_scope: 'Have the issuer allow this client the scopes openid and email.',
  invalid_request: 'Check --oidc-client-id and --oidc-redirect-url against what is registered with the issuer.',
  OAUTH_TIMEOUT: 'Check the network and --oidc-issuer, then sign again.',
  OAUTH_JWT_CLAIM_COMPARISON_FAILED:
    'The issuer answered for another client or another sign-in. Sign again; if it stays, do not trust it.',
  OAUTH_JWT_TIMESTAMP_CHECK_FAILED: "Check this machine's clock.",
};

function hintFor(error: unknown): string {
  const { error: code, code: ownCode } = error as { error?: unknown; code?: unknown };
  return (
    HINTS[String(code)] ??
    HINTS[String(ownCode)] ??
    'Check --oidc-issuer and --oidc-client-id, and that the issuer can be reached from here.'
  );
}
