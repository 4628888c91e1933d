import { stat } from 'node:fs/promises';
import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { adviceFor, findAmbientToken, type FoundToken } from './ambient/find-ambient-token.ts';
import type { AmbientProvider } from './ambient/provider.ts';
import { AMBIENT_PROVIDERS } from './ambient/providers.ts';
import { DEFAULT_AUDIENCE, describeToken, readIdentityToken, type IdentityToken } from './identity-token.ts';
import { looksLikeToken } from './outside-text.ts';
import { signIn } from './sign-in.ts';
import type { SigningIdentityOptions } from './signing-identity.ts';
import { readSecretFile } from './token-file.ts';

interface ObtainOptions extends SigningIdentityOptions {
  /** Most preferred first; all there are by default. */
  readonly providers?: readonly AmbientProvider[];
}

/**
 * Finds out who signs, and says so before the token goes anywhere: a token that was given, then the flow that was asked for,
 * then what the surroundings offer, then the browser if a person is there. The first of these that is there is used; when it
 * is no good that is an error, and the next is not tried.
 *
 * @throws BoltsealError TOKEN_MISSING, TOKEN_INVALID, USAGE, FILE_NOT_FOUND, FILE_UNREADABLE, LIMIT_EXCEEDED, INTERRUPTED
 */
export async function obtainIdentityToken(options: ObtainOptions, context: Context): Promise<IdentityToken> {
  checkChoices(options);
  const audience = options.clientId ?? DEFAULT_AUDIENCE;
  const found =
    (await readGiven(options, context)) ??
    (await signInAsAsked(options, context)) ??
    (await findInSurroundings(options, audience, context)) ??
    (await signInAsLastResort(options, context));
  if (found === undefined) throw missing(options, audience, context);
  const token = readIdentityToken(found.text, { origin: found.origin, audience }, context);
  context.emit({ kind: 'step', message: `signing as ${describeToken(token)}` });
  return token;
}

/** What cannot both be meant. */
function checkChoices({ token, tokenFile, provider, disableAmbient, flow }: ObtainOptions): void {
  const given = token !== undefined || tokenFile !== undefined;
  const asked = flow !== undefined && flow !== 'token';
  const contradictions: readonly (readonly [isSo: boolean, message: string])[] = [
    [token !== undefined && tokenFile !== undefined, 'an identity token and a file with one were both given'],
    [given && provider !== undefined, 'an identity token was given, and a provider chosen to ask for another'],
    [given && asked, 'an identity token was given, and a flow chosen to ask for another'],
    [provider !== undefined && asked, 'an identity provider and a flow were both chosen'],
    [provider !== undefined && disableAmbient === true, 'an identity provider was chosen while all are disabled'],
  ];
  const found = contradictions.find(([isSo]) => isSo);
  if (found !== undefined)
    throw new BoltsealError('USAGE', found[1], { hint: 'Say in one way only who signs; leave out the other.' });
}

async function readGiven({ token, tokenFile }: ObtainOptions, context: Context): Promise<FoundToken | undefined> {
  if (tokenFile !== undefined) return { text: await readSecretFile(tokenFile, context), origin: tokenFile };
  if (token === undefined) return undefined;
  if (looksLikeToken(token)) return { text: token, origin: 'the command line' };
  if (await exists(token)) return { text: await readSecretFile(token, context), origin: token };
  // It is not repeated: it may be a secret of another kind, in the wrong place.
  throw new BoltsealError('TOKEN_INVALID', 'what was given as identity token is neither a token nor a file', {
    hint: 'An identity token is three parts of base64url with dots between; give it, or the path of a file with it.',
  });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function signInAsAsked(options: ObtainOptions, context: Context): Promise<FoundToken | undefined> {
  const { flow } = options;
  return flow === undefined || flow === 'token' ? undefined : signIn(flow, options, context);
}

async function findInSurroundings(
  { disableAmbient, provider, providers }: ObtainOptions,
  audience: string,
  context: Context,
): Promise<FoundToken | undefined> {
  if (disableAmbient === true) return undefined;
  const choice = { ...(provider === undefined ? {} : { provider }), ...(providers === undefined ? {} : { providers }) };
  return findAmbientToken({ audience, ...choice }, context);
}

async function signInAsLastResort(options: ObtainOptions, context: Context): Promise<FoundToken | undefined> {
  const isPossible = options.interactive === true && options.flow !== 'token';
  return isPossible ? signIn('normal', options, context) : undefined;
}

function missing(options: ObtainOptions, audience: string, context: Context): BoltsealError {
  const { disableAmbient = false, providers = AMBIENT_PROVIDERS } = options;
  const titles = providers.map(({ title }) => title).join(', ');
  const looked = disableAmbient ? 'ambient providers are disabled' : `looked for ${titles}`;
  const advice = disableAmbient ? [] : adviceFor(audience, context);
  const ways =
    'Give one with --identity-token TOKEN or FILE, or in the variable SIGSTORE_ID_TOKEN; or sign in with ' +
    '--fulcio-auth-flow normal (browser), device or client_credentials; to try things out, run inside boltseal sandbox.';
  return new BoltsealError('TOKEN_MISSING', `there is no identity token to sign with: none was given, and ${looked}`, {
    hint: [...advice, ways].join(' '),
  });
}
