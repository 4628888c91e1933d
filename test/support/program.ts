import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** A shell script under a program's name, and a PATH that finds it before anything else. */
export async function withProgram(name: string, script: string): Promise<AsyncDisposable & { readonly path: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'boltseal-test-'));
  const file = join(directory, name);
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return {
    path: [directory, '/usr/bin', '/bin'].join(delimiter),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}
