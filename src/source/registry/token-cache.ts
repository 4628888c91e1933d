import type { Context } from '../../base/context.ts';
import type { HttpClient } from '../http.ts';
import { accountOf } from './credential.ts';
import { fetchToken, type Token, type TokenRequest } from './token.ts';

/** Tokens of one session: one request per (realm, service, account, scopes), however many wait for it. */
export interface TokenCache {
  /** A token; `rejected` is one the registry no longer takes, and is never returned. */
  get(request: TokenRequest, rejected?: string): Promise<string>;
  /** True when there is one that has not expired. */
  has(request: TokenRequest): boolean;
}

export function createTokenCache(http: HttpClient, context: Context): TokenCache {
  const entries = new Map<string, { readonly promise: Promise<Token>; settled?: Token }>();
  const usable = (settled: Token | undefined, rejected?: string): boolean =>
    settled === undefined || (settled.expiresAtMs > context.now().getTime() && settled.token !== rejected);
  return {
    async get(request, rejected) {
      const key = keyOf(request);
      let entry = entries.get(key);
      if (entry === undefined || !usable(entry.settled, rejected)) {
        entry = { promise: fetchToken(request, http, context) };
        entries.set(key, entry);
      }
      try {
        entry.settled = await entry.promise;
        return entry.settled.token;
      } catch (error) {
        if (entries.get(key) === entry) entries.delete(key);
        throw error;
      }
    },
    has(request) {
      const settled = entries.get(keyOf(request))?.settled;
      return settled !== undefined && usable(settled);
    },
  };
}

function keyOf({ registry, realm, service, scopes, credential }: TokenRequest): string {
  return JSON.stringify([registry.host, realm, service, accountOf(credential), scopes.toSorted()]);
}
