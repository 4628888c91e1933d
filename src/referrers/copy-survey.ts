import { LIMITS } from '../base/limits.ts';
import type { Digest } from '../oci/digest.ts';
import type { WritableSource } from '../source/source.ts';
import type { CopyGraph } from './copy-graph.ts';
import { onSide } from './copy-side.ts';
import { mapParallel } from './parallel.ts';

/** What of a copy is at the destination. */
export interface Survey {
  /** Manifests that are stored. */
  readonly stored: ReadonlySet<Digest>;
  /** Manifests that need not be written: stored, and on the list of their subject where they are referrers. */
  readonly complete: ReadonlySet<Digest>;
}

/**
 * Asks the destination for each manifest, and for the lists of those subjects that have a referrer there: one may have been
 * stored and never listed, when a copy or an attach was cut short.
 *
 * @throws BoltsealError the destination's codes
 */
export async function surveyDestination(destination: WritableSource, graph: CopyGraph): Promise<Survey> {
  const asked = mapParallel([...graph.nodes.keys()], LIMITS.parallelFetches, async (digest) =>
    (await isStored(destination, digest)) ? [digest] : [],
  );
  const stored = new Set((await Array.fromAsync(asked)).flat());
  const unlisted = await findUnlisted(destination, graph, stored);
  return { stored, complete: stored.difference(unlisted) };
}

/** Without a probe nothing is known to be there, and writing again changes nothing. */
async function isStored(destination: WritableSource, digest: Digest): Promise<boolean> {
  return onSide('destination', async () => (await destination.hasManifest?.(digest)) === true);
}

/** Of the referrers that should be at the destination, those that its lists do not show. */
export async function findUnlisted(
  destination: WritableSource,
  { referrers }: CopyGraph,
  expected: ReadonlySet<Digest>,
): Promise<ReadonlySet<Digest>> {
  const questions = [...referrers].flatMap(([subject, all]) => {
    const due = all.filter((digest) => expected.has(digest));
    return due.length === 0 ? [] : [{ subject, due }];
  });
  const answers = mapParallel(questions, LIMITS.parallelFetches, async ({ subject, due }) => {
    const listed = new Set((await list(destination, subject)).map(({ digest }) => digest));
    return due.filter((digest) => !listed.has(digest));
  });
  return new Set((await Array.fromAsync(answers)).flat());
}

function list(destination: WritableSource, subject: Digest): ReturnType<WritableSource['listReferrers']> {
  return onSide('destination', () => destination.listReferrers(subject));
}
