import type { Inventory } from '../catalog/inventory.ts';
import { byCodeUnit } from '../catalog/order.ts';

/** Names of the two nodes that are no packages. Purls begin with `pkg:`, so neither can be one. */
export const ROOT = 'image';
export const SYSTEM = 'operating-system';

/**
 * The edges of a document: image → operating system → its packages; image → language packages that nothing else needs; package →
 * what it needs; and from a system package to the language packages whose files it installed. Every node is there, every
 * node is reached from the image, and lists are in code-unit order.
 */
export function dependencyGraph({ distro, packages, relations }: Inventory): ReadonlyMap<string, readonly string[]> {
  const nodes = [ROOT, ...(distro === undefined ? [] : [SYSTEM]), ...packages.map(({ purl }) => purl)];
  const edges = new Map<string, Set<string>>(nodes.map((node) => [node, new Set()]));
  const connect = (from: string, to: string): void => void edges.get(from)?.add(to);
  for (const { from, to } of relations) connect(from, to);
  for (const { purl, ownedBy } of packages) if (ownedBy !== undefined) connect(ownedBy, purl);
  if (distro !== undefined) connect(ROOT, SYSTEM);
  const systemRoot = distro === undefined ? ROOT : SYSTEM;
  for (const { purl, kind } of packages) if (kind === 'os') connect(systemRoot, purl);
  const needed = new Set([...edges.values()].flatMap((targets) => [...targets]));
  for (const { purl } of packages) if (!needed.has(purl)) connect(ROOT, purl);
  for (const lost of unreached(edges)) connect(ROOT, lost);
  return new Map([...edges].map(([from, targets]) => [from, [...targets].toSorted(byCodeUnit)]));
}

/** One member of every circle that nothing else leads to, the first by order of the nodes. */
function unreached(edges: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const reached = new Set<string>();
  const reach = (start: string): void => {
    const waiting = [start];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      if (reached.has(node)) continue;
      reached.add(node);
      waiting.push(...(edges.get(node) ?? []));
    }
  };
  reach(ROOT);
  return [...edges.keys()].filter((node) => {
    const isLost = !reached.has(node);
    if (isLost) reach(node);
    return isLost;
  });
}
