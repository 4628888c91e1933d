import { randomUUID } from 'node:crypto';
import type { Context } from '../../../base/context.ts';
import { json, type Route, type SandboxReply, type SandboxRequest } from '../../http/message.ts';
import { codeFlow } from './code-flow.ts';
import { deviceFlow } from './device-flow.ts';
import {
  checkClientId,
  oauthError,
  readForm,
  SANDBOX_CLIENT_ID,
  SANDBOX_CLIENT_SECRET,
  type MintIdToken,
} from './oauth.ts';

interface SignIn {
  readonly routes: readonly Route[];
  /** What the issuer's configuration says of it (OpenID Connect Discovery 1.0, section 3). */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** What a grant is good for: claims to add to the token. @throws ReplyError */
type Redeem = (form: URLSearchParams, headers: SandboxRequest['headers']) => Readonly<Record<string, unknown>>;

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** The issuer's ways to sign in: by browser, by device, and as a machine. Codes are kept until the issuer ends. */
export function signInRoutes(url: string, mint: MintIdToken, context: Context): SignIn {
  const code = codeFlow(context);
  const device = deviceFlow(url, context);
  const grants = new Map<string, Redeem>([
    ['authorization_code', publicClient(code.redeem)],
    [DEVICE_GRANT, publicClient(device.redeem)],
    ['client_credentials', confidentialClient],
  ]);
  return {
    routes: [
      code.route,
      ...device.routes,
      { methods: ['POST'], path: /^\/token$/, answer: (request) => answerToken(request, grants, mint) },
    ],
    metadata: {
      authorization_endpoint: `${url}/authorize`,
      device_authorization_endpoint: `${url}/device/code`,
      response_types_supported: ['code', 'id_token'],
      grant_types_supported: [...grants.keys()],
      code_challenge_methods_supported: ['S256'],
      scopes_supported: ['openid', 'email'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
    },
  };
}

async function answerToken(
  request: SandboxRequest,
  grants: ReadonlyMap<string, Redeem>,
  mint: MintIdToken,
): Promise<SandboxReply> {
  const form = await readForm(request);
  const redeem = grants.get(form.get('grant_type') ?? '');
  if (redeem === undefined) throw oauthError('unsupported_grant_type', `Use one of ${[...grants.keys()].join(', ')}`);
  const token = await mint(redeem(form, request.headers));
  const answer = { access_token: randomUUID(), token_type: 'Bearer', expires_in: 60, id_token: token };
  return json(200, answer, { 'cache-control': 'no-store' });
}

function publicClient(redeem: (form: URLSearchParams) => Readonly<Record<string, unknown>>): Redeem {
  return (form, headers) => {
    checkClientId(clientOf(form, headers).id);
    return redeem(form);
  };
}

const confidentialClient: Redeem = (form, headers) => {
  const { id, secret } = clientOf(form, headers);
  if (id !== SANDBOX_CLIENT_ID || secret !== SANDBOX_CLIENT_SECRET)
    throw oauthError('invalid_client', `The client is ${SANDBOX_CLIENT_ID}, its secret ${SANDBOX_CLIENT_SECRET}`);
  return {};
};

/** From the form, or from the Basic scheme with both parts percent-encoded (RFC 6749, section 2.3.1). */
function clientOf(
  form: URLSearchParams,
  { authorization = '' }: SandboxRequest['headers'],
): { readonly id: string | null; readonly secret: string | null } {
  const [, basic] = /^Basic ([\w+/=]+)$/.exec(authorization) ?? [];
  if (basic === undefined) return { id: form.get('client_id'), secret: form.get('client_secret') };
  const [id, secret] = new URLSearchParams(Buffer.from(basic, 'base64').toString('utf8').replace(':', '='))
    .entries()
    .next().value ?? ['', ''];
  return { id, secret };
}
