import { BoltsealError } from '../base/errors.ts';
import type { HttpRequest, HttpResponse } from './http-message.ts';
import { isPrivateHost } from './network-address.ts';

/** What another origin may learn: nothing that authenticates, and no header of a registry's own. */
const MAY_TRAVEL: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'range',
  'content-type',
  'content-length',
]);

const KEEPS_METHOD: ReadonlySet<number> = new Set([307, 308]);
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * The next request when the response is a redirect to follow, else undefined. The location is what a registry, or whoever
 * it redirects to, chose: it may not lead from TLS to plain HTTP or from a public host into a private network.
 *
 * @throws BoltsealError REGISTRY_UNSAFE, REGISTRY_ERROR
 */
export function redirectTarget(request: HttpRequest, response: HttpResponse): HttpRequest | undefined {
  const { method, url, headers = {}, redirect = 'follow' } = request;
  const location = response.headers['location'];
  if (!REDIRECTS.has(response.status) || location === undefined || redirect === 'refuse') return undefined;
  const reads = method === 'GET' || method === 'HEAD';
  if (!reads && !KEEPS_METHOD.has(response.status)) return undefined;
  const target = resolveLocation(location, url);
  const sameOrigin = target.origin === url.origin;
  if (!sameOrigin && redirect === 'same-origin') return undefined;
  checkTarget(target, url);
  return {
    ...request,
    url: target,
    headers: sameOrigin ? headers : withoutSecrets(headers),
  };
}

/** A Location header against the URL it came from. @throws BoltsealError REGISTRY_ERROR */
export function resolveLocation(location: string, from: URL): URL {
  const target = URL.parse(location, from.href);
  if (target !== null && /^https?:$/.test(target.protocol) && target.username === '' && target.password === '')
    return target;
  throw new BoltsealError('REGISTRY_ERROR', `${from.host} names a location that is not an HTTP address`, {
    hint: 'The registry, or a proxy before it, is misconfigured. Tell whoever runs it.',
  });
}

/** @throws BoltsealError REGISTRY_UNSAFE when going from one to the other would leave TLS, or enter a private network */
export function checkTarget(target: URL, from: URL): void {
  const unsafe =
    from.protocol === 'https:' && target.protocol !== 'https:'
      ? 'an address without TLS'
      : isPrivateHost(target.hostname) && !isPrivateHost(from.hostname)
        ? 'a private network'
        : undefined;
  if (unsafe === undefined) return;
  throw new BoltsealError('REGISTRY_UNSAFE', `${from.host} sends the client to ${unsafe} (${target.origin})`, {
    hint: 'This is refused because an attacker could use it. If the registry is yours, correct its external address.',
  });
}

export function withoutSecrets(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => MAY_TRAVEL.has(name.toLowerCase())));
}
