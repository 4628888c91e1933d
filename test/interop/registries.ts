import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startServer } from '../support/tools.ts';

/** Debian's docker-registry (distribution 2.8): no referrers API, ignores conditional requests. Returns its host:port. */
export async function startDockerRegistry(folder: string): Promise<string> {
  const port = await freePort();
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
  await startServer('docker-registry', ['serve', config], { port });
  return `127.0.0.1:${port}`;
}

/** olareg: has the referrers API. Returns its host:port. */
export async function startOlareg(): Promise<string> {
  const port = await freePort();
  await startServer(
    'olareg',
    [
      'serve',
      '--addr',
      '127.0.0.1',
      '--port',
      String(port),
      '--store-type',
      'mem',
      '--api-delete',
      '--api-blob-delete',
    ],
    { port },
  );
  return `127.0.0.1:${port}`;
}
