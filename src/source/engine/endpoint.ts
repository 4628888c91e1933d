import { join } from 'node:path';
import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';
import type { DaemonReference } from '../../oci/reference.ts';
import type { TlsIdentity } from '../http.ts';
import { readDockerContext } from './docker-context.ts';
import { readTlsFolder } from './tls-folder.ts';

/** One place where an engine may listen. */
export interface EngineEndpoint {
  /** As a person writes it: `unix:///var/run/docker.sock`. */
  readonly address: string;
  readonly origin: URL;
  readonly socketPath?: string;
  readonly tls?: TlsIdentity;
}

/**
 * Where an engine is looked for, in the order in which its own client does: the variable, for Docker the context in use, then
 * the usual sockets.
 *
 * @throws BoltsealError USAGE for an address that cannot be used, FILE_UNREADABLE, FILE_NOT_FOUND for certificates
 */
export async function engineEndpoints(
  engine: DaemonReference['engine'],
  context: Context,
): Promise<readonly EngineEndpoint[]> {
  return engine === 'docker' ? dockerEndpoints(context) : podmanEndpoints(context);
}

async function dockerEndpoints(context: Context): Promise<readonly EngineEndpoint[]> {
  const { env } = context;
  const host = env['DOCKER_HOST'] ?? '';
  if (host !== '') return [await parseAddress(host, 'DOCKER_HOST', await environmentTls(context))];
  const chosen = await readDockerContext(context);
  if (chosen !== undefined) return [await parseAddress(chosen.host, `the Docker context ${chosen.name}`, chosen.tls)];
  const home = env['HOME'] ?? env['USERPROFILE'] ?? '';
  return sockets([
    '/var/run/docker.sock',
    ...(home === '' ? [] : [join(home, '.docker/run/docker.sock')]),
    ...runtimeSocket(context, 'docker.sock'),
  ]);
}

async function podmanEndpoints(context: Context): Promise<readonly EngineEndpoint[]> {
  const host = context.env['CONTAINER_HOST'] ?? '';
  if (host !== '') return [await parseAddress(host, 'CONTAINER_HOST', undefined)];
  return sockets([...runtimeSocket(context, 'podman/podman.sock'), '/run/podman/podman.sock']);
}

function runtimeSocket({ env }: Context, name: string): readonly string[] {
  const folder = env['XDG_RUNTIME_DIR'] ?? '';
  return folder === '' ? [] : [join(folder, name)];
}

function sockets(paths: readonly string[]): readonly EngineEndpoint[] {
  return paths.map((path) => ({ address: `unix://${path}`, origin: new URL('http://localhost'), socketPath: path }));
}

/** Docker's variables: certificates are in DOCKER_CERT_PATH, or beside its configuration, when TLS is asked for at all. */
async function environmentTls({ env }: Context): Promise<TlsIdentity | undefined> {
  if ((env['DOCKER_TLS_VERIFY'] ?? '') === '' && (env['DOCKER_TLS'] ?? '') === '') return undefined;
  const home = env['HOME'] ?? env['USERPROFILE'] ?? '';
  const folder = env['DOCKER_CERT_PATH'] || env['DOCKER_CONFIG'] || (home === '' ? '' : join(home, '.docker'));
  return folder === '' ? {} : readTlsFolder(folder);
}

type Parse = (rest: string, tls: TlsIdentity | undefined) => Omit<EngineEndpoint, 'address'> | undefined;

const SCHEMES: Readonly<Record<string, Parse>> = {
  unix: (rest) => (rest.startsWith('/') ? { origin: new URL('http://localhost'), socketPath: rest } : undefined),
  tcp: tcpOrigin,
  http: (rest) => tcpOrigin(rest, undefined),
  https: (rest, tls = {}) => tcpOrigin(rest, tls),
};

async function parseAddress(text: string, where: string, tls: TlsIdentity | undefined): Promise<EngineEndpoint> {
  const [, scheme = '', rest = ''] = /^([a-z]+):\/\/(.*)$/.exec(text) ?? [];
  const parsed = SCHEMES[scheme]?.(rest, tls);
  if (parsed !== undefined) return { ...parsed, address: `${scheme}://${parsed.socketPath ?? parsed.origin.host}` };
  throw new BoltsealError('USAGE', `${where} names an engine at an address of a kind that is not spoken here`, {
    hint:
      HINTS[scheme] ??
      'Addresses look like unix:///var/run/docker.sock or tcp://host:2376 (with DOCKER_TLS_VERIFY=1 for TLS).',
  });
}

/** Docker's ports: 2375 in the clear, 2376 with TLS. */
function tcpOrigin(rest: string, tls: TlsIdentity | undefined): Omit<EngineEndpoint, 'address'> | undefined {
  const url = URL.parse(`${tls === undefined ? 'http' : 'https'}://${rest}`);
  if (url === null || url.hostname === '' || url.username !== '' || url.password !== '') return undefined;
  if (url.port === '' && !/:\d+\/?$/.test(rest)) url.port = tls === undefined ? '2375' : '2376';
  return { origin: new URL(url.origin), ...(tls === undefined ? {} : { tls }) };
}

const HINTS: Readonly<Record<string, string>> = {
  npipe:
    'Windows named pipes are not spoken. Turn on TCP in Docker Desktop, or save the image: docker save -o image.tar NAME.',
  ssh: 'Forward the socket first: ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST, then name unix:///tmp/docker.sock.',
};
