import type { Digest } from '../oci/digest.ts';
import type { Manifest } from '../oci/manifest.ts';
import { childrenOf, type GraphNode } from './copy-graph.ts';

/**
 * The order in which manifests may be written: each after all that it names by digest, children and subject alike. Manifests
 * of one group do not depend on each other. A manifest cannot be named by what it names, so all of them find their place.
 */
export function writingOrder(nodes: ReadonlyMap<Digest, GraphNode>): readonly (readonly GraphNode[])[] {
  const waiting = new Map([...nodes].map(([digest, node]) => [digest, dependenciesOf(node, nodes)]));
  const groups: GraphNode[][] = [];
  while (waiting.size > 0) {
    const ready = [...waiting].filter(([, needs]) => needs.every((digest) => !waiting.has(digest)));
    const group = ready.flatMap(([digest]) => nodes.get(digest) ?? []);
    // Only bytes that collide in their hash could name each other; then the order no longer matters.
    if (group.length === 0) return [...groups, [...waiting.keys()].flatMap((digest) => nodes.get(digest) ?? [])];
    for (const { digest } of group) waiting.delete(digest);
    groups.push(group);
  }
  return groups;
}

function dependenciesOf({ manifest }: GraphNode, nodes: ReadonlyMap<Digest, GraphNode>): readonly Digest[] {
  const named = namesOf(manifest);
  return named.filter((digest) => nodes.has(digest));
}

function namesOf(manifest: Manifest): readonly Digest[] {
  const subject = manifest.subject === undefined ? [] : [manifest.subject.digest];
  return [...childrenOf(manifest).map(({ digest }) => digest), ...subject];
}
