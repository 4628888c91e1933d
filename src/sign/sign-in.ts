import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import type { FoundToken } from './ambient/find-ambient-token.ts';
import { DEFAULT_AUDIENCE } from './identity-token.ts';
import { signInWithBrowser } from './oidc/browser-flow.ts';
import { discoverIssuer, type OidcClient } from './oidc/client.ts';
import { signInAsClient } from './oidc/client-credentials.ts';
import { signInWithDevice } from './oidc/device-flow.ts';
import type { AuthFlow, SigningIdentityOptions } from './signing-identity.ts';
import { readSecretFile } from './token-file.ts';

type Flow = (client: OidcClient, options: SigningIdentityOptions, context: Context) => Promise<string>;

const FLOWS: Readonly<Record<Exclude<AuthFlow, 'token'>, { readonly title: string; readonly run: Flow }>> = {
  normal: {
    title: 'the browser',
    run: (client, { redirectUrl }, context) =>
      signInWithBrowser(client, redirectUrl === undefined ? {} : { redirectUrl }, context),
  },
  device: {
    title: 'the device flow',
    run: (client, _options, context) => signInWithDevice(client, context),
  },
  client_credentials: {
    title: 'client credentials',
    run: (client, _options, context) => signInAsClient(client, client.clientId, context),
  },
};

/**
 * Asks an issuer for a token in one of the ways of OAuth 2.0.
 *
 * @throws BoltsealError TOKEN_INVALID, USAGE, FILE_NOT_FOUND, FILE_UNREADABLE, LIMIT_EXCEEDED, INTERRUPTED
 */
export async function signIn(
  flow: Exclude<AuthFlow, 'token'>,
  options: SigningIdentityOptions,
  context: Context,
): Promise<FoundToken> {
  const { issuer, clientId = DEFAULT_AUDIENCE, clientSecretFile } = options;
  const { title, run } = FLOWS[flow];
  if (issuer === undefined)
    throw new BoltsealError('USAGE', 'there is no OIDC issuer to sign in at', {
      hint: 'Name one with --oidc-issuer, or use a signing configuration that does.',
    });
  if (flow === 'client_credentials' && clientSecretFile === undefined)
    throw new BoltsealError('USAGE', 'the client credentials flow needs a client secret', {
      hint: 'Put it into a file and name that with --oidc-client-secret-file.',
    });
  const secret = clientSecretFile === undefined ? undefined : await readSecretFile(clientSecretFile, context);
  const client = await discoverIssuer(
    { issuer, clientId, ...(secret === undefined ? {} : { clientSecret: secret }) },
    context,
  );
  return { text: await run(client, options, context), origin: title };
}
