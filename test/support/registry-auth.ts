import { json, problem, type Answer } from './http-server.ts';
import type { RecordedRequest } from './registry-server.ts';

export interface AuthBehaviour {
  auth: 'none' | 'basic' | 'bearer';
  /** Who may come in; absent means that tokens are given to anybody. */
  account?: { readonly username: string; readonly password: string };
  /** Where tokens are said to be had; `/token` of the registry when absent. */
  realm?: string;
  tokenLifeS?: number;
  /** Raised to make all tokens given so far invalid. */
  generation?: number;
  /** The host of absolute upload locations. */
  uploadHost?: string;
  /** Answers of the token server instead of a token. */
  tokenFault?: Answer;
}

/** The answer to a request that may not pass; undefined lets it pass. */
export function checkAuthorization(request: RecordedRequest, behaviour: AuthBehaviour): Answer | undefined {
  const { authorization = '' } = request.headers;
  if (behaviour.auth === 'none') return undefined;
  if (behaviour.auth === 'basic') {
    return authorization === basic(behaviour) ? undefined : refuse('Basic realm="a, b"');
  }
  if (request.path === '/v2/')
    return tokenIsValid(authorization, behaviour) ? undefined : refuse(bearer(request, behaviour));
  const [, repository = ''] = /^\/v2\/(.+?)\/(?:manifests|blobs|referrers)\//.exec(request.path) ?? [];
  const actions = request.method === 'GET' || request.method === 'HEAD' ? 'pull' : 'pull,push';
  const scope = `repository:${repository}:${actions}`;
  if (tokenAllows(authorization, repository, { actions, behaviour })) return undefined;
  return refuse(`Basic realm="x", ${bearer(request, behaviour)},scope="${scope}"`);
}

function bearer({ headers }: RecordedRequest, { realm = `http://${headers.host}/token` }: AuthBehaviour): string {
  return `Bearer realm="${realm}",service="test registry"`;
}

function refuse(challenge: string): Answer {
  const answer = problem(401, 'UNAUTHORIZED');
  return { ...answer, headers: { ...answer.headers, 'www-authenticate': challenge } };
}

function basic({ account }: AuthBehaviour): string {
  return `Basic ${Buffer.from(`${account?.username ?? ''}:${account?.password ?? ''}`).toString('base64')}`;
}

interface TestToken {
  readonly scopes: readonly string[];
  readonly generation: number;
}

function tokenIsValid(authorization: string, behaviour: AuthBehaviour): boolean {
  return readToken(authorization)?.generation === (behaviour.generation ?? 0);
}

function readToken(authorization: string): TestToken | undefined {
  const text = Buffer.from(authorization.replace(/^Bearer /, ''), 'base64url').toString();
  if (!authorization.startsWith('Bearer ') || !text.startsWith('{')) return undefined;
  return JSON.parse(text) as TestToken;
}

function tokenAllows(
  authorization: string,
  repository: string,
  { actions, behaviour }: { readonly actions: string; readonly behaviour: AuthBehaviour },
): boolean {
  const granted = (readToken(authorization)?.scopes ?? [])
    .filter((scope) => scope.startsWith(`repository:${repository}:`))
    .flatMap((scope) => scope.slice(scope.lastIndexOf(':') + 1).split(','));
  return tokenIsValid(authorization, behaviour) && actions.split(',').every((one) => granted.includes(one));
}

export function tokenAnswer({ method, query, headers, body }: RecordedRequest, behaviour: AuthBehaviour): Answer {
  if (behaviour.tokenFault !== undefined) return behaviour.tokenFault;
  const form = method === 'POST' ? new URLSearchParams(body.toString()) : query;
  const { account } = behaviour;
  const allowed =
    account === undefined ||
    headers.authorization === basic(behaviour) ||
    (form.get('grant_type') === 'refresh_token' && form.get('refresh_token') === account.password);
  if (!allowed) return problem(401, 'UNAUTHORIZED');
  const scopes = form.getAll('scope').flatMap((scope) => scope.split(' '));
  const claims = { scopes, generation: behaviour.generation ?? 0, nonce: Math.random() };
  const token = Buffer.from(JSON.stringify(claims)).toString('base64url');
  return json(200, { access_token: token, expires_in: behaviour.tokenLifeS ?? 300 });
}
