import { BoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { FileEntry, FileTree, LayerListing, TarEntry } from './file-tree.ts';
import { listTree } from './list-tree.ts';
import { directoryNode, type TreeNode } from './tree-node.ts';
import { walkPath } from './tree-walk.ts';

/**
 * Stacks layers, lowest first, to what a container sees: image-spec 1.1.1, layer.md#applying-changesets. Where the
 * specification is silent, this does what containerd does when it unpacks:
 *
 * - entries are applied in archive order, so that the last of two with one name counts;
 * - a parent directory that is a symlink is followed, within the image, and made where it leads when that is missing;
 * - a whiteout hides what lower layers brought and nothing of its own layer, wherever in the layer it stands;
 * - a missing parent directory is made; a file where a directory must be gives way to it;
 * - a hard link shares what its target is at that point of the archive, lower layers included. One without a target, or to a
 *   directory, could not be unpacked: it is listed as 'other', without content.
 *
 * @throws BoltsealError LAYER_INVALID for a whiteout of `.` or `..`, LIMIT_EXCEEDED
 */
export function flatten(listings: readonly LayerListing[]): FileTree {
  const root = directoryNode('', 0);
  const budget = { nodes: 0 };
  for (const { layerIndex, entries } of listings) {
    const layer = new LayerApplier(root, layerIndex, budget);
    for (const entry of entries) layer.apply(entry);
  }
  let listed: readonly FileEntry[] | undefined;
  return {
    lookup: (path) => walkPath(root, path, { followLast: false })?.entry,
    resolve: (path) => walkPath(root, path, { followLast: true })?.entry,
    entries: () => (listed ??= listTree(root)),
  };
}

/** Applies one layer's entries to the tree of the layers below it. */
class LayerApplier {
  readonly #root: TreeNode;
  readonly #layerIndex: number;
  readonly #budget: { nodes: number };
  /** Siblings come together: the directory of the entry before is mostly the directory of this one. */
  #lastFolder: { readonly path: string; readonly node: TreeNode } | undefined;
  /** Files that AUFS keeps beside the tree as targets of hard links. */
  readonly #aufsFiles = new Map<string, TarEntry>();

  constructor(root: TreeNode, layerIndex: number, budget: { nodes: number }) {
    this.#root = root;
    this.#layerIndex = layerIndex;
    this.#budget = budget;
  }

  apply(entry: TarEntry): void {
    const slash = entry.path.lastIndexOf('/');
    const name = entry.path.slice(slash + 1);
    const folder = slash < 0 ? '' : entry.path.slice(0, slash);
    if (entry.path.startsWith(AUFS_PREFIX) && entry.path !== OPAQUE) this.#aufsFiles.set(entry.path, entry);
    else if (entry.path === '')
      this.#root.entry = { ...this.#root.entry, mode: entry.mode, layerIndex: this.#layerIndex };
    else if (name.startsWith(WHITEOUT_PREFIX)) this.#applyWhiteout(folder, name);
    else this.#add(entry, folder, name);
  }

  #applyWhiteout(folder: string, name: string): void {
    const hidden = name.slice(WHITEOUT_PREFIX.length);
    if (hidden === '' || hidden === '.' || hidden === '..') throw invalid(`${folder}/${name} is not a whiteout`);
    const parent = walkPath(this.#root, folder, { followLast: true });
    const node = name === OPAQUE ? parent : parent?.children?.get(hidden);
    if (node === undefined) return;
    this.#lastFolder = undefined;
    this.#clear(node);
    if (name !== OPAQUE && this.#isLower(node)) parent?.children?.delete(hidden);
  }

  /** Removes everything below a directory that lower layers brought. What this layer brought stays, and the way to it. */
  #clear(top: TreeNode): void {
    const visited: TreeNode[] = [top];
    for (const node of visited) {
      if (node.clearedBy === this.#layerIndex) continue;
      node.clearedBy = this.#layerIndex;
      for (const [name, child] of node.children ?? []) {
        if (this.#isLower(child)) node.children?.delete(name);
        else visited.push(child);
      }
    }
  }

  /** Whether neither the name nor anything below it is from this layer. */
  #isLower(node: TreeNode): boolean {
    return node.layerIndex !== this.#layerIndex;
  }

  #add(entry: TarEntry, folder: string, name: string): void {
    const parent = this.#folderOf(folder);
    const found = parent.children?.get(name);
    const target = entry.type === 'hardlink' ? this.#linkTarget(entry) : undefined;
    if (found !== undefined && found.entry === target) return;
    const path = parent.entry.path === folder ? entry.path : pathBelow(parent, name);
    const visible = this.#visibleEntry(entry, path, target);
    if (found?.children !== undefined && visible.type === 'directory') {
      found.entry = visible;
      this.#mark(found);
      return;
    }
    if (found !== undefined) this.#lastFolder = undefined;
    const children = visible.type === 'directory' ? new Map<string, TreeNode>() : undefined;
    this.#attach({ entry: visible, parent, children, layerIndex: this.#layerIndex, clearedBy: -1 }, name);
  }

  #visibleEntry(entry: TarEntry, path: string, target: FileEntry | undefined): FileEntry {
    const layerIndex = this.#layerIndex;
    const { type, size, mode, linkTarget } = entry;
    if (type === 'file') return { path, type, size, mode, layerIndex, content: { layerIndex, path: entry.path } };
    if (type === 'symlink') return { path, type, size, mode, linkTarget: linkTarget ?? '', layerIndex };
    if (type !== 'hardlink') return { path, type, size, mode, layerIndex };
    if (target === undefined || target.type === 'directory') return { path, type: 'other', size: 0, mode, layerIndex };
    return { ...target, path, layerIndex };
  }

  /** What a hard link leads to. Symlinked folders on the way are followed, a symlink at the end is what is linked. */
  #linkTarget({ linkTarget = '' }: TarEntry): FileEntry | undefined {
    const aufsFile = this.#aufsFiles.get(linkTarget);
    return aufsFile === undefined
      ? walkPath(this.#root, linkTarget, { followLast: false })?.entry
      : this.#visibleEntry(aufsFile, linkTarget, undefined);
  }

  #folderOf(path: string): TreeNode {
    if (this.#lastFolder?.path === path) return this.#lastFolder.node;
    const create = (parent: TreeNode, name: string): TreeNode => {
      this.#lastFolder = undefined;
      return this.#attach(directoryNode(pathBelow(parent, name), this.#layerIndex, parent), name);
    };
    const node = walkPath(this.#root, `${path}/`, { followLast: true, create });
    if (node === undefined) throw invalid(`${path} leads through too many folders or symbolic links`);
    this.#lastFolder = { path, node };
    return node;
  }

  #attach(node: TreeNode, name: string): TreeNode {
    this.#budget.nodes += 1;
    if (this.#budget.nodes > LIMITS.treeNodes) throw tooManyNames();
    node.parent?.children?.set(name, node);
    if (node.parent !== undefined) this.#mark(node.parent);
    return node;
  }

  /** Notes that this layer brought something into a directory, so that its own whiteouts leave the way to it alone. */
  #mark(node: TreeNode): void {
    for (let at: TreeNode | undefined = node; at !== undefined && this.#isLower(at); at = at.parent) {
      at.layerIndex = this.#layerIndex;
    }
  }
}

function pathBelow(parent: TreeNode, name: string): string {
  return parent.entry.path === '' ? name : `${parent.entry.path}/${name}`;
}

function invalid(why: string): BoltsealError {
  return new BoltsealError('LAYER_INVALID', `a layer cannot be unpacked: ${why}`, {
    hint: 'Container runtimes refuse such a layer too. Build the image again with another tool.',
  });
}

function tooManyNames(): BoltsealError {
  return new BoltsealError('LIMIT_EXCEEDED', `an image has more than ${LIMITS.treeNodes} names`, {
    hint: 'An image like this is refused. Check where it came from.',
  });
}

/** image-spec 1.1.1, layer.md#whiteouts. */
const WHITEOUT_PREFIX = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** What AUFS keeps for itself at the root; containerd leaves it out and reads hard links into it. */
const AUFS_PREFIX = '.wh..wh.';
