import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startServer } from '../support/tools.ts';

/** Debian's docker-registry (distribution 2.8): no referrers API, ignores conditional requests. Returns its host:port. */
export async function startDockerRegistry(folder: string): Promise<string> {
  const port = await freePort();
  await startServer('docker-registry', ['serve', writeDockerRegistryConfig(folder, port)], { port });
  return `127.0.0.1:${port}`;
}

/** Returns the path of the file. */
export function writeDockerRegistryConfig(folder: string, port: number): string {
  const config = join(folder, 'registry.yml');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    config,
    [
      'version: 0.1',
      'log: {level: error, accesslog: {disabled: true}}',
      'storage:',
      '  cache: {blobdescriptor: inmemory}',
      `  filesystem: {rootdirectory: ${join(folder, 'store')}}`,
      '  delete: {enabled: true}',
      `http: {addr: 127.0.0.1:${port}}`,
    ].join('\n'),
  );
  return config;
}

/** olareg: has the referrers API. Returns its host:port. */
export async function startOlareg(): Promise<string> {
  const port = await freePort();
  await startServer('olareg', [...olaregArguments(port), '--store-type', 'mem'], { port });
  return `127.0.0.1:${port}`;
}

export function olaregArguments(port: number): readonly string[] {
  return ['serve', '--addr', '127.0.0.1', '--port', String(port), '--api-delete', '--api-blob-delete'];
}
