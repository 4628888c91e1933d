import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import type { Context } from '../../base/context.ts';
import { BoltsealError, messageOf, systemCodeOf } from '../../base/errors.ts';
import type { TlsIdentity } from '../http.ts';

/**
 * Certificates by host as Docker and podman keep them (containers-certs.d(5)): in a folder named `host:port`, `*.crt` are
 * CAs to trust beside the system's, `*.cert` with `*.key` is what the client shows. Looked up once per host.
 */
export function tlsIdentities(context: Context): (host: string) => TlsIdentity | undefined {
  const known = new Map<string, TlsIdentity | undefined>();
  return (host) => {
    if (!known.has(host)) known.set(host, readIdentity(host, context));
    return known.get(host);
  };
}

function readIdentity(host: string, { env }: Context): TlsIdentity | undefined {
  const home = env['HOME'] ?? env['USERPROFILE'];
  const folders = [
    ...(home === undefined ? [] : [join(home, '.config', 'containers', 'certs.d')]),
    '/etc/containers/certs.d',
    '/etc/docker/certs.d',
  ];
  return folders.map((folder) => readFolder(join(folder, host))).find((identity) => identity !== undefined);
}

/** @throws BoltsealError CREDENTIALS_INVALID */
function readFolder(folder: string): TlsIdentity | undefined {
  try {
    const names = readdirSync(folder).toSorted();
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
    const cas = names.filter((name) => name.endsWith('.crt')).map(read);
    const certName = names.find((name) => name.endsWith('.cert'));
    const keyName = certName?.replace(/\.cert$/, '.key');
    if (cas.length === 0 && certName === undefined) return undefined;
    return {
      ...(cas.length === 0 ? {} : { ca: [...rootCertificates, ...cas] }),
      ...(certName === undefined || keyName === undefined ? {} : { cert: read(certName), key: read(keyName) }),
    };
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCodeOf(cause) ?? '') && !messageOf(cause).includes('.key'))
      return undefined;
    throw new BoltsealError(
      'CREDENTIALS_INVALID',
      `the certificates in ${folder} cannot be read: ${messageOf(cause)}`,
      {
        hint: 'Every *.cert file there needs a *.key file of the same name, readable by you.',
        cause,
      },
    );
  }
}
