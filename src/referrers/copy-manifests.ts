import { LIMITS } from '../base/limits.ts';
import type { Digest } from '../oci/digest.ts';
import type { WritableSource } from '../source/source.ts';
import { childrenOf, type CopyGraph, type GraphNode } from './copy-graph.ts';
import { writingOrder } from './copy-order.ts';
import { onSide } from './copy-side.ts';
import { mapParallel } from './parallel.ts';

interface ManifestWrites {
  readonly graph: CopyGraph;
  /** Those that are complete at the destination are left as they are. */
  readonly complete: ReadonlySet<Digest>;
  /** Tags that may be written together with their manifest, since nothing follows it. */
  readonly tagsOf: (digest: Digest) => string | undefined;
}

/** Writes manifests, each after what it names: the same bytes that were read. Referrers make their subject's list grow. */
export async function writeManifests(
  destination: WritableSource,
  { graph, complete, tagsOf }: ManifestWrites,
): Promise<void> {
  const nested = new Set(
    [...graph.nodes.values()].flatMap(({ manifest }) => childrenOf(manifest)).map((child) => child.digest),
  );
  const write = async (node: GraphNode): Promise<void> => {
    const tag = tagsOf(node.digest);
    const options = {
      nested: nested.has(node.digest) && node.role === 'child',
      ...(tag === undefined ? {} : { tag }),
    };
    await onSide('destination', () => destination.writeManifest(node.bytes, options));
  };
  for (const group of writingOrder(graph.nodes)) {
    const due = group.filter(({ digest }) => !complete.has(digest));
    await drain(mapParallel(oneListAtATime(due), LIMITS.parallelFetches, (nodes) => inTurn(nodes, write)));
  }
}

/** Referrers of one subject go one after the other: where their list is a tag, writers of one list get in each other's way. */
function oneListAtATime(nodes: readonly GraphNode[]): readonly (readonly GraphNode[])[] {
  return [...Map.groupBy(nodes, ({ digest, manifest }) => manifest.subject?.digest ?? digest).values()];
}

async function inTurn<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (const item of items) await work(item);
}

async function drain(work: AsyncIterable<void>): Promise<void> {
  for await (const _ of work);
}
