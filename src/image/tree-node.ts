import type { FileEntry } from './file-tree.ts';

/** A name in the stacked tree. Without `children` it is not a directory. */
export interface TreeNode {
  entry: FileEntry;
  readonly parent: TreeNode | undefined;
  children: Map<string, TreeNode> | undefined;
  /** The layer that brought the name or, for a directory that was merged, the last that brought something into it. */
  layerIndex: number;
  /** The layer that last removed all of what is below from lower layers. */
  clearedBy: number;
}

export function directoryNode(path: string, layerIndex: number, parent?: TreeNode): TreeNode {
  const entry: FileEntry = { path, type: 'directory', size: 0, mode: IMPLICIT_MODE, layerIndex };
  return { entry, parent, children: new Map(), layerIndex, clearedBy: -1 };
}

/** What tar and container runtimes give a directory that the archive uses but does not list. */
const IMPLICIT_MODE = 0o755;
