import { parseChallenges, type Challenge } from './challenge.ts';
import { basicHeader, type Credential } from './credential.ts';
import { mergeScopes, repositoryScope, type Access } from './scope.ts';
import type { RegistrySession } from './session.ts';
import type { TokenRequest } from './token.ts';

/** Finds the Authorization header for the requests to one repository. */
export interface Authorizer {
  /** What is already known to be wanted; undefined sends the request bare, to learn it from the challenge. */
  authorize(access: Access): Promise<string | undefined>;
  /** What to send after a 401 with this WWW-Authenticate; undefined when there is nothing else to try. */
  reauthorize(access: Access, challenge: string, rejected: string | undefined): Promise<string | undefined>;
}

interface Repository {
  readonly host: string;
  readonly repository: string;
  readonly origin: URL;
  /** Given by the user; otherwise the stored one is looked up when the registry asks. */
  readonly credential: Credential | undefined;
}

export function createAuthorizer(target: Repository, session: RegistrySession): Authorizer {
  const { host, repository, origin } = target;
  const extraScopes = new Map<Access, string>();
  const credential = async (): Promise<Credential | undefined> =>
    target.credential ?? (await session.credential(host, repository));

  const tokenRequest = async (access: Access, { parameters }: Challenge): Promise<TokenRequest> => ({
    registry: origin,
    realm: parameters['realm'] ?? '',
    ...(parameters['service'] === undefined ? {} : { service: parameters['service'] }),
    scopes: mergeScopes([repositoryScope(repository, access), extraScopes.get(access) ?? '']),
    credential: await credential(),
  });

  const bearer = async (access: Access, challenge: Challenge, rejected?: string): Promise<string | undefined> => {
    const held = await credential();
    if (held?.kind === 'registry-token') return differing(`Bearer ${held.token}`, rejected);
    const request = await tokenRequest(access, challenge);
    const pushing = await tokenRequest('push', challenge);
    const best = access === 'pull' && rejected === undefined && session.tokens.has(pushing) ? pushing : request;
    return `Bearer ${await session.tokens.get(best, rejected?.replace(/^Bearer /, ''))}`;
  };

  const basic = async (rejected?: string): Promise<string | undefined> => {
    const held = await credential();
    return held?.kind === 'basic' ? differing(basicHeader(held.username, held.password), rejected) : undefined;
  };

  return {
    async authorize(access) {
      const challenge = session.challenges.get(origin.origin);
      if (challenge !== undefined) return challenge.scheme === 'bearer' ? bearer(access, challenge) : basic();
      return target.credential?.kind === 'registry-token' ? `Bearer ${target.credential.token}` : undefined;
    },
    async reauthorize(access, header, rejected) {
      const challenge = chooseChallenge(header);
      if (challenge === undefined) return undefined;
      session.challenges.set(origin.origin, challenge);
      const scope = challenge.parameters['scope'];
      if (scope !== undefined) extraScopes.set(access, scope);
      return challenge.scheme === 'bearer' ? bearer(access, challenge, rejected) : basic(rejected);
    },
  };
}

/** Bearer before Basic: a token says less than a password. */
export function chooseChallenge(header: string): Challenge | undefined {
  const challenges = parseChallenges(header);
  return (
    challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters['realm'] !== undefined) ??
    challenges.find(({ scheme }) => scheme === 'basic')
  );
}

function differing(header: string, rejected: string | undefined): string | undefined {
  return header === rejected ? undefined : header;
}
