import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';
import { looksLikeToken } from '../outside-text.ts';
import { SCOPE } from './browser-flow.ts';
import type { OidcClient } from './client.ts';
import { explainFailure } from './oidc-failure.ts';

/**
 * Signs a machine in with the client's own secret (RFC 6749, section 4.4). OpenID Connect foresees no ID token here; where
 * the issuer gives none, its access token is used when that is a JSON Web Token (RFC 9068).
 *
 * @returns the token, its claims not looked at
 * @throws BoltsealError USAGE without a secret, TOKEN_INVALID, INTERRUPTED
 */
export async function signInAsClient(client: OidcClient, audience: string, context: Context): Promise<string> {
  const { library, configuration, issuer, clientSecret } = client;
  if (clientSecret === undefined)
    throw new BoltsealError('USAGE', 'the client credentials flow needs a client secret', {
      hint: 'Put it into a file and name that with --oidc-client-secret-file.',
    });
  try {
    const grant = await library.clientCredentialsGrant(configuration, { scope: SCOPE, audience });
    if (grant.id_token !== undefined) return grant.id_token;
    if (looksLikeToken(grant.access_token)) return grant.access_token;
  } catch (error) {
    throw explainFailure(error, { doing: 'the client was not let in', ...client }, context);
  }
  throw new BoltsealError('TOKEN_INVALID', `the issuer ${issuer} gave neither an ID token nor a JSON Web Token`, {
    hint: 'Have the issuer give this client access tokens in JWT form, for the audience the certificate authority wants.',
  });
}
