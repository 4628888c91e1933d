import type { Context } from '../../base/context.ts';
import { openHttpClient, type HttpClient } from '../http.ts';
import type { Challenge } from './challenge.ts';
import type { Credential } from './credential.ts';
import { findCredential } from './credentials.ts';
import { readRegistriesConf } from './registries-conf.ts';
import type { RegistryRule } from './registry-rule.ts';
import { createTlsIdentities, type TlsIdentities } from './tls-identity.ts';
import { createTokenCache, type TokenCache } from './token-cache.ts';

/** What the references of one run share: connections, tokens, and what was learnt about each registry. */
export interface RegistrySession extends AsyncDisposable {
  readonly http: HttpClient;
  readonly tokens: TokenCache;
  /** Origin → the challenge it made last, so that later requests bring what it wants. */
  readonly challenges: Map<string, Challenge>;
  /** Origin → its first request, which the others wait for: one request finds out what a cold registry wants, not all. */
  readonly contacts: Map<string, Promise<void>>;
  readonly tls: TlsIdentities;
  /** Mirrors that failed and are not asked again. */
  readonly givenUp: Set<string>;
  /** What registries.conf says, read once. */
  rules(): Promise<readonly RegistryRule[]>;
  /** Origin → the credential of each repository, looked up once. */
  credential(host: string, repository: string): Promise<Credential | undefined>;
  /** Emits a registry's Warning header (RFC 7234, 5.5), each text once. */
  warn(host: string, header: string): void;
}

export interface SessionOptions {
  /** A file in the form of Docker's config.json, asked instead of every place where credentials are kept. */
  readonly credentialFile?: string;
}

export function openRegistrySession({ credentialFile }: SessionOptions, context: Context): RegistrySession {
  const tls = createTlsIdentities(context);
  const http = openHttpClient({ tlsFor: (host) => tls.identityOf(host) }, context);
  const credentials = new Map<string, Promise<Credential | undefined>>();
  const warned = new Set<string>();
  let rules: Promise<readonly RegistryRule[]> | undefined;
  return {
    http,
    tokens: createTokenCache(http, context),
    challenges: new Map(),
    contacts: new Map(),
    tls,
    givenUp: new Set(),
    rules: () => (rules ??= readRegistriesConf(context)),
    credential(host, repository) {
      const key = `${host}/${repository}`;
      const found = credentials.get(key) ?? findCredential({ host, repository, credentialFile }, context);
      credentials.set(key, found);
      return found;
    },
    warn(host, header) {
      for (const [, text = ''] of header.matchAll(/\b299\s+\S+\s+"((?:[^"\\]|\\.)*)"/g)) {
        const message = `${host} says: ${text.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, MAX_WARNING)}`;
        if (warned.has(message) || warned.size >= MAX_WARNINGS) continue;
        warned.add(message);
        context.emit({ kind: 'warning', message });
      }
    },
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

const MAX_WARNING = 300;
const MAX_WARNINGS = 20;
