import type { FileTree } from '../image/file-tree.ts';
import { baseName, dirName } from './file-sinks.ts';

/**
 * Turns the paths a package database lists into the names the files really have: where `/bin` is a link to `usr/bin`, what
 * a package installed as `/bin/sh` is `usr/bin/sh`. Directories are looked up once each.
 */
export function realPaths(tree: FileTree): (path: string) => string {
  const known = new Map<string, string>();
  return (path) => {
    const listed = path.replace(/^\/+/, '');
    const folder = dirName(listed);
    if (folder === '') return listed;
    const real = known.get(folder) ?? tree.resolve(folder)?.path ?? folder;
    known.set(folder, real);
    return real === '' ? baseName(listed) : `${real}/${baseName(listed)}`;
  };
}
