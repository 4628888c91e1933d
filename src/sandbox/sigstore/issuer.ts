import { exportJWK, generateKeyPair, jwtVerify, SignJWT, type CryptoKey, type JWTPayload } from 'jose';
import type { Context } from '../../base/context.ts';
import { json, type Route } from '../http/message.ts';
import { serve, type Service } from '../http/server.ts';
import { signInRoutes } from './sign-in/routes.ts';

/** Claims of a token to mint. What is not given is filled in; `exp` and `iat` are seconds since 1970. */
export type TokenClaims = Readonly<Record<string, unknown>> & { readonly sub?: string; readonly aud?: string };

/** An OpenID Connect issuer that mints a token for whoever asks on loopback. */
export interface Issuer extends Service {
  /** What its tokens say of who made them. */
  readonly issuer: string;
  readonly mint: (claims?: TokenClaims) => Promise<string>;
  /** The claims of a token of this issuer for this audience that is valid now. @throws errors of jose */
  readonly verify: (token: string, audience: string) => Promise<JWTPayload>;
}

export const SANDBOX_IDENTITY = 'https://boltseal.example/release.yml@refs/heads/main';
export const SIGSTORE_AUDIENCE = 'sigstore';
const TOKEN_LIFETIME_SECONDS = 3600;
const KEY_ID = 'sandbox';

/**
 * OpenID Connect Discovery 1.0 with RFC 7517 keys; the ways to sign in; and `GET /token`, which answers as GitHub Actions'
 * token endpoint does.
 */
export async function startIssuer(
  { port, issuer: named }: { readonly port: number; readonly issuer?: string },
  context: Context,
): Promise<Issuer> {
  const keys = await generateKeyPair('RS256');
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: KEY_ID, alg: 'RS256', use: 'sig' };
  const service = await serve(
    {
      name: 'issuer',
      port,
      routes: (url) =>
        routes(
          url,
          { issuer: named ?? url, jwk },
          { mintFor: (claims) => mint(named ?? url, keys.privateKey, claims, context), context },
        ),
    },
    context,
  );
  const issuer = named ?? service.url;
  return {
    ...service,
    issuer,
    mint: (claims = {}) => mint(issuer, keys.privateKey, claims, context),
    async verify(token, audience) {
      const options = { issuer, audience, algorithms: ['RS256'], currentDate: context.now() };
      const { payload } = await jwtVerify(token, keys.publicKey, { ...options, requiredClaims: ['exp', 'iat', 'sub'] });
      return payload;
    },
  };
}

interface Published {
  readonly issuer: string;
  readonly jwk: object;
}

interface Minting {
  readonly mintFor: (claims: TokenClaims) => Promise<string>;
  readonly context: Context;
}

function routes(url: string, { issuer, jwk }: Published, { mintFor, context }: Minting): readonly Route[] {
  const signIn = signInRoutes(url, mintFor, context);
  const configuration = {
    issuer,
    jwks_uri: `${url}/jwks`,
    token_endpoint: `${url}/token`,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    ...signIn.metadata,
  };
  return [
    ...signIn.routes,
    {
      methods: ['GET'],
      path: /^\/\.well-known\/openid-configuration$/,
      answer: () => json(200, configuration),
    },
    { methods: ['GET'], path: /^\/jwks$/, answer: () => json(200, { keys: [jwk] }) },
    {
      methods: ['GET'],
      path: /^\/token$/,
      async answer({ url: { searchParams } }) {
        const { audience, ...claims } = Object.fromEntries(searchParams);
        const token = await mintFor({ ...claims, ...(audience === undefined ? {} : { aud: audience }) });
        return json(200, { value: token, id_token: token });
      },
    },
  ];
}

async function mint(issuer: string, key: CryptoKey, claims: TokenClaims, context: Context): Promise<string> {
  const nowSeconds = Math.floor(context.now().getTime() / 1000);
  const defaults = {
    iss: issuer,
    aud: SIGSTORE_AUDIENCE,
    sub: SANDBOX_IDENTITY,
    iat: nowSeconds,
    nbf: nowSeconds,
    exp: nowSeconds + TOKEN_LIFETIME_SECONDS,
  };
  return new SignJWT({ ...defaults, ...claims }).setProtectedHeader({ alg: 'RS256', kid: KEY_ID }).sign(key);
}
