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
  const todo = componentsOf(path);
  let hops = 0;
  let at = root;
  while (todo.length > 0) {
    if (todo.length > LIMITS.pathComponents) return undefined;
    const name = todo.pop() ?? '';
    const isLast = todo.length === 0;
    const found = childOf(at, name, root);
    if (found?.entry.type === 'symlink' && (followLast || !isLast)) {
      const { linkTarget = '' } = found.entry;
      hops += 1;
      if (hops > LIMITS.symlinkHops) return undefined;
      if (linkTarget.startsWith('/')) at = root;
      todo.push(...componentsOf(linkTarget));
      continue;
    }
    const isUsable = isLast || found?.children !== undefined;
    const next = (isUsable ? found : undefined) ?? create?.(at, name);
    if (next === undefined) return undefined;
    at = next;
  }
  return at;
}

/** The parts of a path, the first one last. */
function componentsOf(path: string): string[] {
  return path.split('/').toReversed();
}

function childOf(at: TreeNode, name: string, root: TreeNode): TreeNode | undefined {
  if (name === '' || name === '.') return at;
  return name === '..' ? (at.parent ?? root) : at.children?.get(name);
}
