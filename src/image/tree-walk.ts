import { LIMITS } from '../base/limits.ts';
import type { TreeNode } from './tree-node.ts';

interface WalkOptions {
  /** Follow a symlink in the last component too. */
  readonly followLast: boolean;
  /** Makes a component that is not there, or is no directory where one must be. */
  readonly create?: (parent: TreeNode, name: string) => TreeNode;
}

/**
 * Finds a path below the root as a process in the container would (path_resolution(7)): symlinks in between are followed,
 * absolute ones from the image's root, and `..` never leaves it. Undefined when a component is missing or not a directory, or
 * when there are more than LIMITS.symlinkHops links.
 */
export function walkPath(root: TreeNode, path: string, { followLast, create }: WalkOptions): TreeNode | undefined {
  const todo = path.split('/').reverse();
  let hops = 0;
  let at = root;
  if (todo.length > LIMITS.pathComponents) return undefined;
  while (todo.length > 0) {
    const name = todo.pop() ?? '';
    if (name === '' || name === '.') continue;
    if (name === '..') {
      at = at.parent ?? root;
      continue;
    }
    const isLast = todo.length === 0;
    const found = at.children?.get(name);
    const isFollowed = found?.entry.type === 'symlink' && (followLast || !isLast);
    if (isFollowed) {
      const target = found.entry.linkTarget ?? '';
      hops += 1;
      if (hops > LIMITS.symlinkHops || todo.length > LIMITS.pathComponents) return undefined;
      if (target.startsWith('/')) at = root;
      todo.push(...target.split('/').reverse());
      continue;
    }
    const isUsable = found !== undefined && (isLast || found.children !== undefined);
    const next = isUsable ? found : create?.(at, name);
    if (next === undefined) return undefined;
    at = next;
  }
  return at;
}
