/**
 * The URL, when a secret may be sent to it: https, or http to this machine itself. Undefined for any other, and for what
 * is not a URL or holds a user name or password.
 */
export function parseSecureUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '') return undefined;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname)) ? url : undefined;
}

/** True for `localhost` and the loopback addresses of RFC 6890, as a URL's `hostname` writes them. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}
