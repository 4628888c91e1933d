import { randomBytes } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../base/context.ts';
import { messageOf } from '../base/errors.ts';

/** A temporary copy of a folder of TUF metadata, gone when it is disposed of. */
export interface WorkingCopy extends AsyncDisposable {
  readonly folder: string;
  readonly readTarget: (path: string) => Promise<Buffer>;
  /** Puts the metadata back where it came from; false, and a warning, where that cannot be written. */
  readonly save: (context: Context) => Promise<boolean>;
}

/** A copy of what is remembered, or with nothing but the first root. */
export async function openWorkingCopy({
  cacheFolder,
  root,
}: {
  readonly cacheFolder: string;
  readonly root: Uint8Array;
}): Promise<WorkingCopy> {
  const folder = await mkdtemp(join(tmpdir(), 'boltseal-tuf-'));
  const remembered = await readdir(cacheFolder).catch(() => [] as string[]);
  if (remembered.includes('root.json')) await cp(cacheFolder, folder, { recursive: true });
  else await writeFile(join(folder, 'root.json'), root);
  await mkdir(join(folder, 'targets'), { recursive: true });
  return {
    folder,
    readTarget: (path) => readFile(path),
    save: (context) => save(folder, cacheFolder, context),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Each file is written beside its place and then moved there: a reader sees the old or the new one. */
async function save(folder: string, cacheFolder: string, context: Context): Promise<boolean> {
  try {
    for (const part of ['targets', '.']) {
      await mkdir(join(cacheFolder, part), { recursive: true });
      const entries = await readdir(join(folder, part), { withFileTypes: true });
      for (const entry of entries.filter((one) => one.isFile())) {
        const draft = join(cacheFolder, part, `.${entry.name}.${randomBytes(4).toString('hex')}`);
        await writeFile(draft, await readFile(join(folder, part, entry.name)));
        await rename(draft, join(cacheFolder, part, entry.name));
      }
    }
    return true;
  } catch (error) {
    const message = `${cacheFolder} cannot be written, so that a later rollback would not be noticed: ${messageOf(error)}`;
    context.emit({ kind: 'warning', message });
    return false;
  }
}
