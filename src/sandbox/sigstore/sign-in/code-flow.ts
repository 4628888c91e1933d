import { randomUUID } from 'node:crypto';
import type { Context } from '../../../base/context.ts';
import type { Route, SandboxReply } from '../../http/message.ts';
import { checkClientId, isVerifierOf, oauthError } from './oauth.ts';

/** A sign-in whose code has not come back yet. */
interface PendingSignIn {
  readonly redirectUri: string;
  readonly challenge: string;
  readonly nonce: string | undefined;
  readonly expiresAt: number;
}

export interface CodeFlow {
  readonly route: Route;
  /** The claims to add for a code, which is good once. @throws ReplyError invalid_grant */
  readonly redeem: (form: URLSearchParams) => Readonly<Record<string, unknown>>;
}

const CODE_LIFETIME_MS = 60_000;

/** The authorization endpoint (RFC 6749, section 4.1, with PKCE): whoever comes is let in at once. */
export function codeFlow({ now }: Pick<Context, 'now'>): CodeFlow {
  const pending = new Map<string, PendingSignIn>();
  return {
    route: {
      methods: ['GET'],
      path: /^\/authorize$/,
      answer: ({ url: { searchParams } }) => {
        checkClientId(searchParams.get('client_id'));
        const back = redirectTarget(searchParams.get('redirect_uri'));
        const redirectUri = searchParams.get('redirect_uri') ?? '';
        const challenge = searchParams.get('code_challenge') ?? '';
        const problem = problemOf(searchParams);
        const code = randomUUID();
        if (problem === undefined)
          pending.set(code, {
            redirectUri,
            challenge,
            nonce: searchParams.get('nonce') ?? undefined,
            expiresAt: now().getTime() + CODE_LIFETIME_MS,
          });
        return redirect(back, { ...(problem ?? { code }), state: searchParams.get('state') });
      },
    },
    redeem(form) {
      const code = form.get('code') ?? '';
      const found = pending.get(code);
      pending.delete(code);
      const isGood =
        found !== undefined &&
        found.expiresAt > now().getTime() &&
        found.redirectUri === form.get('redirect_uri') &&
        isVerifierOf(found.challenge, form.get('code_verifier') ?? '');
      if (!isGood) throw oauthError('invalid_grant', 'The code is unknown, used, expired, or of another client');
      return found.nonce === undefined ? {} : { nonce: found.nonce };
    },
  };
}

/** Any port of this machine, as for every native client (RFC 8252, section 7.3). @throws ReplyError invalid_request */
function redirectTarget(text: string | null): URL {
  const url = URL.parse(text ?? '');
  if (url?.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)) return url;
  throw oauthError('invalid_request', 'The redirect_uri is not on this machine');
}

type Problem = { readonly error: string; readonly error_description: string };

function problemOf(query: URLSearchParams): Problem | undefined {
  if (query.get('response_type') !== 'code')
    return { error: 'unsupported_response_type', error_description: 'The only response type is code' };
  if (!(query.get('scope') ?? '').split(' ').includes('openid'))
    return { error: 'invalid_scope', error_description: 'The scope openid is missing' };
  if (query.get('code_challenge_method') !== 'S256' || (query.get('code_challenge') ?? '') === '')
    return { error: 'invalid_request', error_description: 'PKCE with S256 is required' };
  return undefined;
}

function redirect(target: URL, parameters: Readonly<Record<string, string | null>>): SandboxReply {
  for (const [name, value] of Object.entries(parameters)) if (value !== null) target.searchParams.set(name, value);
  return { status: 302, headers: { location: target.href, 'cache-control': 'no-store' } };
}
