import type { Descriptor } from '../oci/descriptor.ts';
import type { ImageTreeNode } from './image-tree.ts';

export interface TreeFilter {
  /** Only what is of this type, or holds something of it. */
  readonly artifactType?: string;
  /** Only what has all of these annotations, itself or on one of its contents. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * The tree with what matches, all that hangs on it, and the way there. What was rejected stays: nobody can say what it would
 * have been. The root stays, too, so that the answer to "nothing" is a tree as well.
 */
export function filterTree(root: ImageTreeNode, filter: TreeFilter): ImageTreeNode {
  if (filter.artifactType === undefined && Object.keys(filter.annotations ?? {}).length === 0) return root;
  return { ...root, below: root.below.flatMap((node) => keep(node, filter)) };
}

function keep(node: ImageTreeNode, filter: TreeFilter): readonly ImageTreeNode[] {
  const { relation, rejected } = node;
  if (rejected !== undefined || (relation !== 'image' && matches(node, filter))) return [node];
  const below = node.below.flatMap((one) => keep(one, filter));
  return below.length === 0 ? [] : [{ ...node, below }];
}

function matches(
  { descriptor, contents = [] }: ImageTreeNode,
  { artifactType, annotations = {} }: TreeFilter,
): boolean {
  const parts = [...(descriptor === undefined ? [] : [descriptor]), ...contents];
  const isOfType = artifactType === undefined || parts.some((part) => typeOf(part) === artifactType);
  const wanted = Object.entries(annotations);
  return isOfType && parts.some((part) => wanted.every(([key, value]) => part.annotations?.[key] === value));
}

function typeOf({ artifactType, mediaType }: Descriptor): string {
  return artifactType ?? mediaType;
}
