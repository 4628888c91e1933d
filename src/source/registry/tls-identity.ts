import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';
import type { Context } from '../../base/context.ts';
import { BoltsealError, messageOf, systemCodeOf } from '../../base/errors.ts';
import { readError } from '../file-error.ts';
import type { TlsIdentity } from '../http.ts';

/** What the user says about TLS with a registry, beside what certs.d folders hold. */
export interface TlsOptions {
  /** PEM file of CAs to trust beside the usual ones. */
  readonly caFile?: string;
  /** PEM files of what the client shows. */
  readonly client?: { readonly certFile: string; readonly keyFile: string };
  /** True: whatever certificate the registry shows is taken. */
  readonly insecure?: boolean;
}

/** Certificates by host, looked up once each. */
export interface TlsIdentities {
  /**
   * Applies options to a registry. Its CAs are trusted wherever it sends the client (its token service, its storage); the
   * client's certificate and `insecure` are for the registry's own host name only.
   *
   * @throws BoltsealError FILE_NOT_FOUND, FILE_UNREADABLE
   */
  use(registry: URL, options: TlsOptions): void;
  /** For `host:port`. @throws BoltsealError CREDENTIALS_INVALID */
  identityOf(host: string): TlsIdentity | undefined;
}

/**
 * Certificates as Docker and podman keep them (containers-certs.d(5)): in a folder named `host:port`, `*.crt` are CAs to
 * trust beside the system's, `*.cert` with `*.key` is what the client shows. What the user says goes before.
 */
export function createTlsIdentities(context: Context): TlsIdentities {
  const known = new Map<string, TlsIdentity | undefined>();
  const given = new Map<string, Pick<TlsIdentity, 'cert' | 'key' | 'insecure'>>();
  const seen = new Map<string, TlsOptions>();
  const authorities = new Map<string, string>();
  return {
    use({ hostname }, options) {
      if (seen.get(hostname) === options) return;
      seen.set(hostname, options);
      known.clear();
      if (options.caFile !== undefined) authorities.set(options.caFile, readPem(options.caFile));
      given.set(hostname, givenIdentity(options));
      if (options.insecure !== true) return;
      context.emit({ kind: 'warning', message: `whether ${hostname} is what it says it is, is not checked: insecure` });
    },
    identityOf(host) {
      if (!known.has(host)) {
        const { hostname } = new URL(`https://${host}`);
        const kept = readFolders(host, context);
        known.set(host, merge(kept, { ...given.get(hostname), authorities: [...authorities.values()] }));
      }
      return known.get(host);
    },
  };
}

function givenIdentity({ client, insecure = false }: TlsOptions): Pick<TlsIdentity, 'cert' | 'key' | 'insecure'> {
  return {
    ...(client === undefined ? {} : { cert: readPem(client.certFile), key: readPem(client.keyFile) }),
    ...(insecure ? { insecure } : {}),
  };
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw readError(cause, path);
  }
}

interface Given extends Pick<TlsIdentity, 'cert' | 'key' | 'insecure'> {
  readonly authorities: readonly string[];
}

function merge(kept: TlsIdentity | undefined, { authorities, ...identity }: Given): TlsIdentity | undefined {
  const cas = [...(kept?.ca ?? []), ...authorities];
  if (kept === undefined && cas.length === 0 && Object.keys(identity).length === 0) return undefined;
  const { ca: _, ...rest } = kept ?? {};
  // Naming CAs replaces the default ones, so these come along, with those of NODE_EXTRA_CA_CERTS.
  return { ...rest, ...identity, ...(cas.length === 0 ? {} : { ca: [...getCACertificates('default'), ...cas] }) };
}

function readFolders(host: string, { env }: Context): TlsIdentity | undefined {
  const home = env['HOME'] ?? env['USERPROFILE'];
  const folders = [
    ...(home === undefined ? [] : [join(home, '.config', 'containers', 'certs.d')]),
    '/etc/containers/certs.d',
    '/etc/docker/certs.d',
  ];
  return folders.map((folder) => readFolder(join(folder, host))).find((identity) => identity !== undefined);
}

function readFolder(folder: string): TlsIdentity | undefined {
  try {
    const names = readdirSync(folder).toSorted();
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
    const ca = names.filter((name) => name.endsWith('.crt')).map(read);
    const certName = names.find((name) => name.endsWith('.cert'));
    const keyName = certName?.replace(/\.cert$/, '.key');
    if (ca.length === 0 && certName === undefined) return undefined;
    return {
      ...(ca.length === 0 ? {} : { ca }),
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
