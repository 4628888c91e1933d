import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { rolldown } from 'rolldown';

/**
 * Makes `dist`: the library as modules with types beside them, and the command line as CommonJS chunks, which start
 * faster than modules do; `npm run bench -- start-up` prints by how much.
 */
rmSync('dist', { recursive: true, force: true });
const { status } = spawnSync('tsc', ['-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
if (status !== 0) process.exit(1);

const bundle = await rolldown({
  input: { main: 'src/bin.ts' },
  platform: 'node',
  external: [/^@cyclonedx\//, /^@sigstore\/mock/, /^@sigstore\/tuf/],
  logLevel: 'warn',
});
await bundle.write({
  dir: 'dist/cli',
  format: 'cjs',
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name]-[hash].cjs',
  minify: false,
});
writeFileSync(
  'dist/boltseal.cjs',
  "#!/usr/bin/env node\n'use strict';\nrequire('node:module').enableCompileCache();\nrequire('./cli/main.cjs');\n",
);
chmodSync('dist/boltseal.cjs', 0o755);
