import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How an engine of a test answers. May be changed while it runs. */
export interface EngineBehaviour {
  /** Name → what `docker save` of it would write. */
  images: Readonly<Record<string, Buffer | undefined>>;
  /** What /_ping says of the version; undefined leaves it out. */
  apiVersion: string | undefined;
  /** Cuts the connection after so many bytes of an image. */
  cutAfterBytes: number | undefined;
  /** Answers instead of the engine when it returns true. */
  fault: (path: string, response: ServerResponse) => boolean;
}

export interface TestEngine extends AsyncDisposable {
  readonly behaviour: EngineBehaviour;
  /** The path of every request so far. */
  readonly requests: string[];
  /** `unix://…` or `tcp://…`. */
  readonly address: string;
  readonly socketPath: string;
}

interface Listening {
  /** TLS on a port of this machine with this certificate; a Unix socket when absent. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
}

/** The identifier an engine of a test gives to an image. */
export function engineId(name: string): string {
  return `sha256:${Buffer.from(name).toString('hex').padEnd(64, '0').slice(0, 64)}`;
}

/** The three requests of the Docker Engine API that reading an image takes. */
export async function startEngine(
  behaviour: Partial<EngineBehaviour> = {},
  { tls }: Listening = {},
): Promise<TestEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'boltseal-engine-'));
  const state: EngineBehaviour = {
    images: {},
    apiVersion: '1.47',
    cutAfterBytes: undefined,
    fault: () => false,
    ...behaviour,
  };
  const requests: string[] = [];
  const listener: RequestListener = (request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    if (!state.fault(path, response)) answer(path.replace(/^\/v[\d.]+/, ''), response, state);
  };
  const server: Server =
    tls === undefined
      ? createServer(listener)
      : createTlsServer({ ...tls, requestCert: tls.ca !== undefined }, listener);
  const socketPath = join(folder, 'engine.sock');
  await new Promise<void>((resolve) =>
    tls === undefined ? server.listen(socketPath, resolve) : server.listen(0, 'localhost', resolve),
  );
  return {
    behaviour: state,
    requests,
    socketPath,
    address: tls === undefined ? `unix://${socketPath}` : `tcp://localhost:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function answer(path: string, response: ServerResponse, { images, apiVersion, cutAfterBytes }: EngineBehaviour): void {
  if (path === '/_ping') {
    if (apiVersion !== undefined) response.setHeader('api-version', apiVersion);
    response.end('OK');
    return;
  }
  const [, asked = '', what] = /^\/images\/(.+)\/(json|get)$/.exec(path) ?? [];
  const name = Object.keys(images).find((known) => asked === known || asked === engineId(known));
  const image = name === undefined ? undefined : images[name];
  if (image === undefined || name === undefined) {
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ message: `No such image: ${asked}` }));
  } else if (what === 'json') {
    response.end(JSON.stringify({ Id: engineId(name), RepoTags: [name] }));
  } else {
    response.writeHead(200, { 'content-type': 'application/x-tar' });
    if (cutAfterBytes === undefined) response.end(image);
    else response.write(image.subarray(0, cutAfterBytes), () => response.destroy());
  }
}
