import { randomBytes } from 'node:crypto';
import { lstat, mkdir, realpath, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../base/errors.ts';
import { writeError } from '../source/file-error.ts';
import { formatPath, unsafe, type SafePath } from './safe-path.ts';

/** A file that is complete in the staging folder, and where it belongs. */
export interface StagedFile {
  readonly path: SafePath;
  readonly staged: string;
}

/** A folder that files are put into, all of them or none, and nothing outside it. */
export interface SafeFolder extends AsyncDisposable {
  /** The folder's real path. */
  readonly root: string;
  /** Where files are written first; within the folder, so that moving them is one step. Gone when this is disposed of. */
  readonly staging: string;
  /**
   * Refuses paths that lead through a symbolic link or a file, or to a folder. Asked before anything is fetched.
   *
   * @throws BoltsealError PATH_UNSAFE, FILE_UNWRITABLE
   */
  check(paths: readonly SafePath[]): Promise<void>;
  /**
   * Moves staged files to their places. A file or symbolic link that is there is replaced, never written through. When one
   * cannot be moved, those before it are taken back and what they replaced is put back.
   *
   * @throws BoltsealError PATH_UNSAFE, FILE_UNWRITABLE
   */
  place(files: readonly StagedFile[], folders: readonly SafePath[]): Promise<void>;
}

/** Opens a folder to put files into; it is made when it is missing. @throws BoltsealError FILE_UNWRITABLE */
export async function openSafeFolder(path: string): Promise<SafeFolder> {
  try {
    await mkdir(path, { recursive: true });
    const root = await realpath(path);
    const staging = join(root, `.boltseal-${randomBytes(9).toString('base64url')}`);
    await mkdir(staging, { mode: 0o700 });
    return {
      root,
      staging,
      check: async (paths) => {
        for (const one of paths) await checkPath(root, one);
      },
      place: (files, folders) => placeAll({ root, staging }, files, folders),
      [Symbol.asyncDispose]: () => rm(staging, { recursive: true, force: true }),
    };
  } catch (cause) {
    throw writeError(cause, path);
  }
}

async function checkPath(root: string, path: SafePath): Promise<void> {
  for (let depth = 1; depth <= path.length; depth += 1) {
    const at = join(root, ...path.slice(0, depth));
    const found = await look(at);
    if (found === undefined) return;
    const isLast = depth === path.length;
    if (!isLast && found === 'symlink')
      throw unsafe(`${formatPath(path)} leads through the symbolic link ${at}, which is there already`);
    if (!isLast && found !== 'folder') throw unsafe(`${formatPath(path)} needs a folder where ${at} is a file`);
    if (isLast && found === 'folder') throw unsafe(`${formatPath(path)} is a folder that is there already`);
  }
}

async function look(path: string): Promise<'folder' | 'symlink' | 'file' | undefined> {
  try {
    const found = await lstat(path);
    return found.isDirectory() ? 'folder' : found.isSymbolicLink() ? 'symlink' : 'file';
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return undefined;
    if (systemCodeOf(cause) === 'ENOTDIR') return undefined;
    throw writeError(cause, path);
  }
}

interface Place {
  readonly root: string;
  readonly staging: string;
}

/** How to take back one step. */
type Undo = () => Promise<void>;

async function placeAll(place: Place, files: readonly StagedFile[], folders: readonly SafePath[]): Promise<void> {
  const undo: Undo[] = [];
  try {
    for (const folder of folders) await makeFolders(place.root, folder, undo);
    for (const [at, file] of files.entries()) await placeOne(place, { ...file, backup: `replaced-${at}` }, undo);
  } catch (cause) {
    // What cannot be taken back must not keep the rest from being taken back, nor hide why it has to be.
    for (const step of undo.toReversed()) await step().catch(() => undefined);
    throw cause;
  }
}

async function placeOne(
  { root, staging }: Place,
  { path, staged, backup }: StagedFile & { readonly backup: string },
  undo: Undo[],
): Promise<void> {
  const target = join(root, ...path);
  await makeFolders(root, path.slice(0, -1), undo);
  try {
    // Checked again: somebody else may have changed the folder while the artifact was fetched.
    await checkPath(root, path);
    if ((await look(target)) !== undefined) {
      const kept = join(staging, backup);
      await rename(target, kept);
      undo.push(() => rename(kept, target));
    }
    await rename(staged, target);
    undo.push(() => rm(target, { force: true }));
  } catch (cause) {
    throw writeError(cause, target);
  }
}

/** Makes the folders of a path that are missing. None may be, or have become, a link to elsewhere. */
async function makeFolders(root: string, path: readonly string[], undo: Undo[]): Promise<void> {
  for (let depth = 1; depth <= path.length; depth += 1) {
    const folder = join(root, ...path.slice(0, depth));
    const made = await makeFolder(folder);
    if (made) undo.push(() => rmdir(folder));
    if ((await realpath(folder)) !== folder) throw unsafe(`${folder} is a symbolic link, or within one`);
  }
}

async function makeFolder(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (cause) {
    const found = systemCodeOf(cause) === 'EEXIST' ? await look(folder) : undefined;
    if (found === 'folder') return false;
    if (found !== undefined) throw unsafe(`a folder is needed where ${folder} is a ${found}`);
    throw writeError(cause, folder);
  }
}
