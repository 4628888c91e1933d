import type { FileEntry } from './file-tree.ts';
import type { TreeNode } from './tree-node.ts';

/**
 * Every entry below the root, in code-unit order of path. What is below `a` belongs where `a/` sorts among the siblings of
 * `a`, behind `a-b` and before `a0`, so sorting each directory by these two keys sorts the whole.
 */
export function listTree(root: TreeNode): readonly FileEntry[] {
  const listed: FileEntry[] = [];
  const stack: (FileEntry | TreeNode)[] = [root];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    if ('path' in top) listed.push(top);
    else pushChildren(stack, top);
  }
  return listed;
}

function pushChildren(stack: (FileEntry | TreeNode)[], { children }: TreeNode): void {
  const keyed: { key: string; item: FileEntry | TreeNode }[] = [];
  for (const [name, child] of children ?? []) {
    keyed.push({ key: name, item: child.entry });
    if (child.children !== undefined) keyed.push({ key: `${name}/`, item: child });
  }
  keyed.sort((a, b) => (a.key < b.key ? 1 : -1));
  for (const { item } of keyed) stack.push(item);
}
