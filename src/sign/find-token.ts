import { readFile, stat } from 'node:fs/promises';
import type { Context } from '../base/context.ts';
import { BoltsealError, messageOf, systemCodeOf } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { asObject, asString, required } from '../base/shape.ts';
import { requestService } from './http.ts';
import { DEFAULT_AUDIENCE, readIdentityToken, type IdentityToken } from './identity-token.ts';
import { redactUrl, serviceError } from './service-error.ts';

interface TokenOptions {
  /** What --identity-token was given: a token, or the path of a file that holds one. */
  readonly token?: string;
  readonly tokenFile?: string;
}

/**
 * Finds the identity to sign with: what was given, then SIGSTORE_ID_TOKEN, then what GitHub Actions offers the job.
 * The first that is there is used; when it is no good, that is an error, and the next is not tried.
 *
 * @throws BoltsealError TOKEN_MISSING, TOKEN_INVALID, FILE_NOT_FOUND, FILE_UNREADABLE, INTERRUPTED
 */
export async function findIdentityToken(options: TokenOptions, context: Context): Promise<IdentityToken> {
  const { token, tokenFile } = options;
  const { env } = context;
  if (token !== undefined) {
    return (await isFile(token))
      ? readIdentityToken(await readTokenFile(token), token, context)
      : readIdentityToken(token, 'the command line', context);
  }
  if (tokenFile !== undefined) return readIdentityToken(await readTokenFile(tokenFile), tokenFile, context);
  const fromEnvironment = env['SIGSTORE_ID_TOKEN'];
  if (fromEnvironment !== undefined && fromEnvironment !== '')
    return readIdentityToken(fromEnvironment, 'SIGSTORE_ID_TOKEN', context);
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: bearer } = env;
  if (url !== undefined && url !== '' && bearer !== undefined && bearer !== '')
    return readIdentityToken(await requestFromActions(url, bearer, context), 'GitHub Actions', context);
  throw missing(env);
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

async function readTokenFile(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size <= LIMITS.tokenResponseBytes) return await readFile(path, 'utf8');
  } catch (cause) {
    const absent = systemCodeOf(cause) === 'ENOENT';
    throw new BoltsealError(
      absent ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE',
      `the token file ${path} ${absent ? 'does not exist' : 'cannot be read'}`,
      { hint: 'Check the path and its permissions.', cause },
    );
  }
  throw new BoltsealError('TOKEN_INVALID', `the token file ${path} is too large to be a token`, {
    hint: 'Name the file that holds the identity token and nothing else.',
  });
}

/** GitHub Actions, "OpenID Connect reference": the job's own endpoint gives a token for the audience asked for. */
async function requestFromActions(endpoint: string, bearer: string, context: Context): Promise<string> {
  const url = URL.parse(endpoint);
  const what = 'an identity token';
  if (url === null) throw serviceError('TOKEN_INVALID', { what, url: endpoint, detail: 'the URL is malformed' });
  url.searchParams.set('audience', DEFAULT_AUDIENCE);
  const body = await requestService(
    {
      code: 'TOKEN_INVALID',
      what,
      url: url.href,
      method: 'GET',
      headers: { accept: 'application/json', authorization: `Bearer ${bearer}` },
      timeoutMs: LIMITS.tokenTimeoutMs,
      maxBytes: LIMITS.tokenResponseBytes,
      secrets: [bearer],
    },
    context,
  );
  try {
    const options = { what: `the answer of ${redactUrl(endpoint)}`, maxBytes: LIMITS.tokenResponseBytes };
    return required(asObject(parseJson(body, options), 'the answer'), 'value', asString);
  } catch (error) {
    const detail = messageOf(error);
    throw serviceError('TOKEN_INVALID', { what, url: endpoint, status: 200, detail });
  }
}

function missing(env: Context['env']): BoltsealError {
  const inActions =
    env['GITHUB_ACTIONS'] === 'true' ? ' This job may not request one: add "permissions: id-token: write" to it.' : '';
  return new BoltsealError('TOKEN_MISSING', 'there is no identity token to sign with', {
    hint:
      'Give one with --identity-token TOKEN or FILE, or in the variable SIGSTORE_ID_TOKEN; ' +
      `in GitHub Actions, let the job request it; to try things out, run inside boltseal sandbox.${inActions}`,
  });
}
