import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** True for names and addresses that never leave this machine: localhost, *.localhost (RFC 6761), 127.0.0.0/8, ::1. */
export function isLoopbackHost(hostname: string): boolean {
  const name = bare(hostname);
  return name === 'localhost' || name.endsWith('.localhost') || contains(LOOPBACK, name);
}

/**
 * True for loopback and for address literals that only mean something inside a network: RFC 1918, link-local (where cloud
 * metadata lives), carrier-grade NAT, unique local IPv6, unspecified. Names are not looked up.
 */
export function isPrivateHost(hostname: string): boolean {
  return isLoopbackHost(hostname) || contains(PRIVATE, bare(hostname));
}

function bare(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

function contains(list: BlockList, address: string): boolean {
  if (isIPv4(address)) return list.check(address, 'ipv4');
  // An IPv4-mapped IPv6 address is checked against the IPv4 rules too.
  return isIPv6(address) && list.check(address, 'ipv6');
}

function blockList(subnets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, isIPv4(network) ? 'ipv4' : 'ipv6');
  return list;
}

const LOOPBACK = blockList([
  ['127.0.0.0', 8],
  ['::1', 128],
]);

const PRIVATE = blockList([
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['::', 128],
  ['fc00::', 7],
  ['fe80::', 10],
]);
