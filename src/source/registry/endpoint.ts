import { isLoopbackHost } from '../network-address.ts';

/** The host that serves, where it is not the one people write. */
const SERVED_BY: Readonly<Record<string, string>> = { 'docker.io': 'registry-1.docker.io' };

/**
 * Where a registry is reached. Plain HTTP is for this machine's own names and addresses, or when `plainHttp` says so;
 * `plainHttp: false` asks for TLS even there. Nothing falls back from TLS to plain HTTP.
 */
export function registryOrigin(host: string, plainHttp?: boolean): URL {
  const served = SERVED_BY[host] ?? host;
  const plain = plainHttp ?? isLoopbackHost(new URL(`http://${served}`).hostname);
  return new URL(`${plain ? 'http' : 'https'}://${served}/`);
}
