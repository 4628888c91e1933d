import { randomUUID } from 'node:crypto';
import { json, type Route, type SandboxReply, type SandboxRequest } from '../../http/message.ts';
import { firstTimes, problem, type ActiveFault, type Fault, type FaultPlace } from './fault.ts';

/** How often a token of `expired-token` is taken. */
const TOKEN_USES = 2;

/** What registries do to clients before they let them in, and what hostile ones try to learn on that occasion. */
export const ACCESS_FAULTS = {
  'rate-limit-seconds': {
    summary: 'the first two requests come too fast: Retry-After in seconds',
    start: () => rateLimit(() => '1'),
  },
  'rate-limit-date': {
    summary: 'the first two requests come too fast: Retry-After as a date',
    start: ({ now }) => rateLimit(() => new Date(now().getTime() + 1000).toUTCString()),
  },
  'rate-limit-always': {
    summary: 'every request comes too fast',
    start: () => ({ answer: () => problem(429, 'TOOMANYREQUESTS', { 'retry-after': '3600' }) }),
  },
  'expired-token': {
    summary: `tokens are asked for, and no longer taken after ${TOKEN_USES} requests, whatever they say of themselves`,
    start: expiringTokens,
  },
  'realm-metadata': {
    summary: 'attack: tokens are to be fetched from the address of cloud metadata',
    start: () => realm('http://169.254.169.254/latest/meta-data'),
  },
  'realm-plain-http': {
    summary: 'attack: tokens are to be fetched from another host without TLS',
    start: () => realm('http://auth.example.org/token'),
  },
  'realm-no-http': {
    summary: 'attack: tokens are to be fetched from a file',
    start: () => realm('file:///etc/passwd'),
  },
  'realm-redirect': {
    summary: 'attack: the token service sends the password on to another host',
    start: ({ url, elsewhere }) => ({
      ...realm(`${url}/token`),
      routes: [tokenRoute(() => ({ status: 307, headers: { location: `${elsewhere}/token` } }))],
    }),
  },
} as const satisfies Readonly<Record<string, Fault>>;

function rateLimit(retryAfter: () => string): ActiveFault {
  const tooFast = firstTimes(2);
  return {
    answer: (_request, next) =>
      tooFast(() => problem(429, 'TOOMANYREQUESTS', { 'retry-after': retryAfter() })) ?? next(),
  };
}

function realm(address: string): ActiveFault {
  return { answer: (request, next) => (request.url.pathname === '/token' ? next() : challenge(address, request)) };
}

function challenge(address: string, { url, method }: SandboxRequest): SandboxReply {
  const name = /^\/v2\/(.+)\/(?:manifests|blobs|referrers|tags)\//.exec(url.pathname)?.[1] ?? '';
  const actions = method === 'GET' || method === 'HEAD' ? 'pull' : 'pull,push';
  const parameters = `realm="${address}",service="sandbox",scope="repository:${name}:${actions}"`;
  return problem(401, 'UNAUTHORIZED', { 'www-authenticate': `Bearer ${parameters}` });
}

function tokenRoute(answer: Route['answer']): Route {
  return { methods: ['GET', 'POST'], path: /^\/token$/, answer };
}

function expiringTokens({ url }: FaultPlace): ActiveFault {
  const usesLeft = new Map<string, number>();
  return {
    routes: [
      tokenRoute(() => {
        const token = randomUUID();
        usesLeft.set(token, TOKEN_USES);
        return json(200, { token, expires_in: 3600 });
      }),
    ],
    answer: (request, next) => {
      if (request.url.pathname === '/token') return next();
      const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
      const left = usesLeft.get(token) ?? 0;
      usesLeft.set(token, left - 1);
      return left > 0 ? next() : challenge(`${url}/token`, request);
    },
  };
}
