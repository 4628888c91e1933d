import type * as Library from 'openid-client';
import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import { parseSecureUrl } from '../secure-url.ts';
import { boundedFetch } from './bounded-fetch.ts';
import { explainFailure } from './oidc-failure.ts';

/** The library, loaded only when a flow runs: verifying, and signing in CI, never need it. */
type OidcLibrary = typeof Library;

interface ClientOptions {
  /** The issuer's URL, as tokens name it. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  /** For each request. */
  readonly timeoutMs?: number;
}

/** An issuer whose configuration is known, and who we are to it. */
export interface OidcClient extends ClientOptions {
  readonly library: OidcLibrary;
  readonly configuration: Library.Configuration;
}

/**
 * Reads the issuer's configuration (OpenID Connect Discovery 1.0). Plain http is only spoken to this machine itself;
 * signatures of tokens are checked with the issuer's keys.
 *
 * @throws BoltsealError USAGE, TOKEN_INVALID, INTERRUPTED
 */
export async function discoverIssuer(options: ClientOptions, context: Context): Promise<OidcClient> {
  const { issuer, clientId, clientSecret, timeoutMs = LIMITS.tokenTimeoutMs } = options;
  const url = parseSecureUrl(issuer);
  if (url === undefined)
    throw new BoltsealError('USAGE', 'the OIDC issuer is not an https URL', {
      hint: 'Give the issuer as it is named in its tokens, as https://…; plain http is only used on this machine itself.',
    });
  const library = await import('openid-client');
  const client = { ...options, library };
  try {
    const configuration = await library.discovery(url, clientId, undefined, authentication(clientSecret, library), {
      [library.customFetch]: boundedFetch(context),
      timeout: timeoutMs / 1000,
      execute: [
        library.enableNonRepudiationChecks,
        ...(url.protocol === 'http:' ? [library.allowInsecureRequests] : []),
      ],
    });
    return { ...client, configuration };
  } catch (error) {
    throw explainFailure(error, { doing: 'its configuration could not be read', ...client }, context);
  }
}

/** As the issuer's configuration has it; RFC 8414, section 2: without a list it is the Basic scheme. */
function authentication(secret: string | undefined, library: OidcLibrary): Library.ClientAuth {
  if (secret === undefined) return library.None();
  const inBody = library.ClientSecretPost(secret);
  const inHeader = library.ClientSecretBasic(secret);
  return (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const authenticate = methods.includes('client_secret_post') ? inBody : inHeader;
    authenticate(server, client, body, headers);
  };
}
