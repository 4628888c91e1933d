import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/** What the issuer does differently from a good one. */
interface Behaviour {
  /** Claims that replace the good ones; undefined leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Entries that replace those of the configuration; undefined leaves one out. */
  readonly metadata?: (url: string) => Readonly<Record<string, unknown>>;
  /** Changes what the browser brings back. */
  readonly onRedirect?: (back: URL) => void;
  /** Errors the token endpoint answers device polls with before it gives a token. */
  readonly deviceErrors?: readonly string[];
  readonly device?: Readonly<Record<string, unknown>>;
  /** For a client that must authenticate. */
  readonly clientSecret?: string;
  /** Changes the token endpoint's good answer. */
  readonly onTokens?: (answer: Record<string, unknown>) => void;
  /** Answers instead of the path's own handler. */
  readonly instead?: Readonly<Record<string, (response: ServerResponse) => void>>;
  /** The key that signs is not the one in the key set. */
  readonly foreignKey?: boolean;
}

export interface OidcServer extends AsyncDisposable {
  readonly url: string;
  /** Everything asked so far: method, path and form. */
  readonly requests: readonly { readonly path: string; readonly form: URLSearchParams; readonly at: number }[];
  readonly mint: (claims?: Readonly<Record<string, unknown>>) => Promise<string>;
}

interface Pending {
  readonly challenge: string;
  readonly nonce?: string;
  readonly redirectUri?: string;
}

/** An OpenID Connect issuer on loopback that lets everybody in at once, and is as strict as a good one is. */
export async function startOidcServer(behaviour: Behaviour = {}): Promise<OidcServer> {
  const keys = await generateKeyPair('ES256');
  const signing = behaviour.foreignKey === true ? await generateKeyPair('ES256') : keys;
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'test', alg: 'ES256', use: 'sig' };
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const requests: { path: string; form: URLSearchParams; at: number }[] = [];
  const pending = new Map<string, Pending>();
  const deviceErrors = [...(behaviour.deviceErrors ?? [])];

  const mint: OidcServer['mint'] = async (claims = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const good = { iss: url, aud: 'sigstore', sub: 'person', email: 'dev@example.org', email_verified: true };
    const all = { ...good, iat: now, exp: now + 600, ...claims, ...behaviour.claims };
    const present = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    return new SignJWT(present).setProtectedHeader({ alg: 'ES256', kid: 'test' }).sign(signing.privateKey);
  };

  const handlers: Record<string, (request: Asked, response: ServerResponse) => Promise<void> | void> = {
    '/.well-known/openid-configuration': (_request, response) =>
      json(response, 200, {
        issuer: url,
        authorization_endpoint: `${url}/authorize`,
        token_endpoint: `${url}/token`,
        device_authorization_endpoint: `${url}/device/code`,
        jwks_uri: `${url}/keys`,
        id_token_signing_alg_values_supported: ['ES256'],
        ...behaviour.metadata?.(url),
      }),
    '/keys': (_request, response) => json(response, 200, { keys: [jwk] }),
    '/authorize': ({ query }, response) => {
      const code = randomUUID();
      const redirectUri = query.get('redirect_uri') ?? '';
      const challenge = query.get('code_challenge') ?? '';
      pending.set(code, { challenge, nonce: query.get('nonce') ?? '', redirectUri });
      const back = new URL(redirectUri);
      back.searchParams.set('code', code);
      back.searchParams.set('state', query.get('state') ?? '');
      behaviour.onRedirect?.(back);
      response.writeHead(302, { location: back.href }).end();
    },
    '/device/code': ({ form }, response) => {
      const code = randomUUID();
      pending.set(code, { challenge: form.get('code_challenge') ?? '' });
      const page = { verification_uri: `${url}/device`, verification_uri_complete: `${url}/device?code=WDJB-MJHT` };
      json(response, 200, {
        device_code: code,
        user_code: 'WDJB-MJHT',
        expires_in: 300,
        interval: 1,
        ...page,
        ...behaviour.device,
      });
    },
    '/token': async (request, response) => {
      const refusal = refusalFor(request, { behaviour, pending, deviceErrors });
      if (refusal !== undefined) return json(response, 400, { error: refusal, error_description: 'as the test wants' });
      const code = request.form.get('code') ?? request.form.get('device_code') ?? '';
      const nonce = pending.get(code)?.nonce;
      pending.delete(code);
      const answer: Record<string, unknown> = {
        access_token: 'opaque',
        token_type: 'Bearer',
        id_token: await mint(nonce === undefined ? {} : { nonce }),
      };
      behaviour.onTokens?.(answer);
      return json(response, 200, answer);
    },
  };

  server.on('request', (incoming, response) => {
    void read(incoming, url).then(async (request) => {
      requests.push({ path: request.path, form: request.form, at: Date.now() });
      const instead = behaviour.instead?.[request.path];
      if (instead !== undefined) return instead(response);
      return (handlers[request.path] ?? (() => json(response, 404, {})))(request, response);
    });
  });
  return {
    url,
    requests,
    mint,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Asked {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly form: URLSearchParams;
  readonly authorization: string;
}

async function read(incoming: IncomingMessage, base: string): Promise<Asked> {
  const url = new URL(incoming.url ?? '/', base);
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  const form = new URLSearchParams(Buffer.concat(chunks).toString());
  return { path: url.pathname, query: url.searchParams, form, authorization: incoming.headers.authorization ?? '' };
}

interface Surroundings {
  readonly behaviour: Behaviour;
  readonly pending: ReadonlyMap<string, Pending>;
  readonly deviceErrors: string[];
}

/** The error code of RFC 6749 or RFC 8628 for a request that a good issuer refuses. */
function refusalFor(
  { form, authorization }: Asked,
  { behaviour, pending, deviceErrors }: Surroundings,
): string | undefined {
  const { clientSecret } = behaviour;
  const [, basic = ''] = /^Basic (.*)$/.exec(authorization) ?? [];
  const [, inHeader = ''] = Buffer.from(basic, 'base64').toString().split(':');
  if (clientSecret !== undefined && (form.get('client_secret') ?? decodeURIComponent(inHeader)) !== clientSecret)
    return 'invalid_client';
  const grant = form.get('grant_type');
  if (grant === 'client_credentials') return clientSecret === undefined ? 'unauthorized_client' : undefined;
  const known = pending.get(form.get('code') ?? form.get('device_code') ?? '');
  const challenge = createHash('sha256')
    .update(form.get('code_verifier') ?? '')
    .digest('base64url');
  if (known === undefined || known.challenge !== challenge) return 'invalid_grant';
  if (grant === 'authorization_code')
    return known.redirectUri === form.get('redirect_uri') ? undefined : 'invalid_grant';
  return grant === 'urn:ietf:params:oauth:grant-type:device_code' ? deviceErrors.shift() : 'unsupported_grant_type';
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
