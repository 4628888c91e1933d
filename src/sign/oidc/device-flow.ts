import type { DeviceAuthorizationResponse } from 'openid-client';
import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';
import { interruptible } from '../http.ts';
import { outsideText } from '../outside-text.ts';
import { parseSecureUrl } from '../secure-url.ts';
import { SCOPE } from './browser-flow.ts';
import type { OidcClient } from './client.ts';
import { explainFailure } from './oidc-failure.ts';

const MIN_INTERVAL_SECONDS = 1;
/** Codes that last longer are waited for no longer. */
const MAX_WAIT_SECONDS = 30 * 60;

/**
 * Signs a person in on any device: shows an address and a code, and asks the issuer until the code was entered (RFC 8628),
 * no more often than the issuer wants. PKCE goes along, which the issuer of the public instance checks here too.
 *
 * @returns the ID token
 * @throws BoltsealError TOKEN_INVALID, INTERRUPTED
 */
export async function signInWithDevice(client: OidcClient, context: Context): Promise<string> {
  const { library, configuration, issuer } = client;
  if (configuration.serverMetadata().device_authorization_endpoint === undefined)
    throw new BoltsealError('TOKEN_INVALID', `the issuer ${issuer} does not offer the device flow`, {
      hint: 'Choose another with --fulcio-auth-flow, or get a token elsewhere and give it with --identity-token.',
    });
  const verifier = library.randomPKCECodeVerifier();
  try {
    const device = await library.initiateDeviceAuthorization(configuration, {
      scope: SCOPE,
      code_challenge: await library.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    context.emit({ kind: 'step', message: invitation(device, issuer) });
    const waitSeconds = Math.min(Math.max(device.expires_in, MIN_INTERVAL_SECONDS), MAX_WAIT_SECONDS);
    const patient = { ...device, interval: Math.max(device.interval ?? 5, MIN_INTERVAL_SECONDS) };
    const expired = AbortSignal.timeout(waitSeconds * 1000);
    return await poll({ client, device: patient, verifier, expired }, context);
  } catch (error) {
    throw explainFailure(error, { doing: 'signing in did not succeed', ...client }, context);
  }
}

interface Polling {
  readonly client: OidcClient;
  readonly device: DeviceAuthorizationResponse;
  readonly verifier: string;
  readonly expired: AbortSignal;
}

async function poll({ client, device, verifier, expired }: Polling, context: Context): Promise<string> {
  const { library, configuration, issuer } = client;
  const signal = AbortSignal.any([context.signal, expired]);
  const parameters = { code_verifier: verifier };
  try {
    const polling = library.pollDeviceAuthorizationGrant(configuration, device, parameters, { signal });
    const { id_token: token } = await interruptible(polling, context);
    if (token !== undefined) return token;
  } catch (error) {
    if (!expired.aborted || context.signal.aborted) throw error;
    throw new BoltsealError('TOKEN_INVALID', `the code from ${issuer} expired before it was entered`, {
      hint: 'Sign again, and enter the code before it expires.',
    });
  }
  throw new BoltsealError('TOKEN_INVALID', `the issuer ${issuer} answered without an ID token`, {
    hint: 'Have the issuer allow this client the scope openid.',
  });
}

/** The issuer wrote the addresses and the code: a page that is not https is refused, and the code is made plain text. */
function invitation(device: DeviceAuthorizationResponse, issuer: string): string {
  const page = parseSecureUrl(device.verification_uri);
  const whole = parseSecureUrl(device.verification_uri_complete ?? '');
  if (page === undefined)
    throw new BoltsealError('TOKEN_INVALID', `the issuer ${issuer} wants the sign-in on a page that is not https`, {
      hint: 'Check --oidc-issuer; do not sign in on such a page.',
    });
  const short = whole === undefined ? '' : ` (or open ${whole.href})`;
  return `to sign in, open ${page.href} on any device and enter the code ${outsideText(device.user_code)}${short}`;
}
