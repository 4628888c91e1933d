import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRegistry } from '../../src/sandbox/registry/registry.ts';
import { olaregArguments, writeDockerRegistryConfig } from '../interop/registries.ts';
import { testContext } from '../support/context.ts';
import { freePort, hasTool, launchServer } from '../support/tools.ts';

interface RegistryServer extends AsyncDisposable {
  readonly name: string;
  /** `127.0.0.1:PORT`. */
  readonly host: string;
}

/** olareg where it is installed, else Debian's docker-registry, else the sandbox's own, which then shares this process. */
export async function startRegistryServer(): Promise<RegistryServer> {
  const folder = await mkdtemp(join(tmpdir(), 'boltseal-bench-'));
  const removeFolder = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const port = await freePort();
  for (const [name, argumentsFor] of Object.entries(SERVERS)) {
    if (!hasTool(name)) continue;
    const child = await launchServer(name, argumentsFor(folder, port), { port });
    return {
      name,
      host: `127.0.0.1:${port}`,
      async [Symbol.asyncDispose]() {
        child.kill('SIGKILL');
        await removeFolder();
      },
    };
  }
  const registry = await startRegistry({ directory: folder, port: 0 }, testContext({ now: () => new Date() }));
  return {
    name: 'the sandbox',
    host: registry.host,
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await removeFolder();
    },
  };
}

/** They keep what they are given on disk: an image of gigabytes has to go somewhere. */
const SERVERS: Readonly<Record<string, (folder: string, port: number) => readonly string[]>> = {
  olareg: (folder, port) => [...olaregArguments(port), '--store-type', 'dir', '--dir', folder],
  'docker-registry': (folder, port) => ['serve', writeDockerRegistryConfig(folder, port)],
};
