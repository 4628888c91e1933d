import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import { parseSecureUrl } from '../secure-url.ts';
import type { OidcClient } from './client.ts';
import { explainFailure } from './oidc-failure.ts';
import { openBrowser } from './open-browser.ts';
import { listenForRedirect, type Redirect, type RedirectListener } from './redirect-listener.ts';

interface BrowserFlowOptions {
  /** Where the issuer sends the browser: http on this machine; port 0 for any free one. */
  readonly redirectUrl?: string;
  /** How long to wait for the person. */
  readonly timeoutMs?: number;
}

export const SCOPE = 'openid email';

/**
 * Signs a person in with the browser: authorization code with PKCE (RFC 7636), state and nonce, and a redirect to this
 * machine (RFC 8252, section 7.3). The address is shown as a step, whether or not a browser opens.
 *
 * @returns the ID token
 * @throws BoltsealError TOKEN_INVALID, USAGE for a redirect URL that cannot be listened on, INTERRUPTED
 */
export async function signInWithBrowser(
  client: OidcClient,
  { redirectUrl, timeoutMs = LIMITS.signInTimeoutMs }: BrowserFlowOptions,
  context: Context,
): Promise<string> {
  const { library } = client;
  const secrets = {
    verifier: library.randomPKCECodeVerifier(),
    state: library.randomState(),
    nonce: library.randomNonce(),
  };
  await using listener = await listenForRedirect(redirectUrl);
  try {
    invite(await addressFor(client, secrets, listener.url), client.issuer, context);
    return await redeem(client, secrets, await waitForPerson(listener, timeoutMs, context));
  } catch (error) {
    throw explainFailure(error, { doing: 'signing in did not succeed', ...client }, context);
  }
}

/** What only this sign-in knows: an answer without them is of another. */
interface Secrets {
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string;
}

async function addressFor({ library, configuration }: OidcClient, secrets: Secrets, redirectUrl: URL): Promise<URL> {
  return library.buildAuthorizationUrl(configuration, {
    redirect_uri: redirectUrl.href,
    scope: SCOPE,
    code_challenge: await library.calculatePKCECodeChallenge(secrets.verifier),
    code_challenge_method: 'S256',
    state: secrets.state,
    nonce: secrets.nonce,
  });
}

/** Changes the code for a token; the browser hears how that went. */
async function redeem(
  { library, configuration }: OidcClient,
  { verifier, state, nonce }: Secrets,
  redirect: Redirect,
): Promise<string> {
  try {
    const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
    const { id_token: token = '' } = await library.authorizationCodeGrant(configuration, redirect.url, checks);
    await redirect.answer('signed-in');
    return token;
  } catch (error) {
    await redirect.answer('failed');
    throw error;
  }
}

function invite(address: URL, issuer: string, context: Context): void {
  if (parseSecureUrl(address.href) === undefined)
    throw new BoltsealError('TOKEN_INVALID', `the issuer ${issuer} wants the sign-in on a page that is not https`, {
      hint: 'Check --oidc-issuer; do not sign in on such a page.',
    });
  const remote = (context.env['SSH_CONNECTION'] ?? '') !== '';
  const elsewhere = remote ? ' With a browser on another machine, use --fulcio-auth-flow device.' : '';
  context.emit({ kind: 'step', message: `to sign in, open ${address.href} in a browser on this machine.${elsewhere}` });
  openBrowser(address, context);
}

async function waitForPerson(listener: RedirectListener, timeoutMs: number, context: Context): Promise<Redirect> {
  const ended = new AbortController();
  const signal = AbortSignal.any([context.signal, ended.signal]);
  try {
    const redirect = await Promise.race([listener.redirect, delay(timeoutMs, undefined, { signal })]);
    if (redirect !== undefined) return redirect;
  } finally {
    ended.abort();
  }
  throw new BoltsealError('TOKEN_INVALID', `nobody signed in within ${timeoutMs / 1000} s`, {
    hint:
      'Sign again and finish in the browser; where that is not on this machine, use --fulcio-auth-flow device. When the ' +
      'issuer refuses the redirect, name one it knows with --oidc-redirect-url, for example http://localhost:0/auth/callback.',
  });
}
