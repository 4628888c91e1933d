import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../base/context.ts';
import { BoltsealError, isBoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Digest } from '../oci/digest.ts';
import type { WritableSource } from '../source/source.ts';
import type { CopyGraph } from './copy-graph.ts';
import { onSide } from './copy-side.ts';
import { findUnlisted } from './copy-survey.ts';
import { mapParallel } from './parallel.ts';

interface Claims {
  readonly graph: CopyGraph;
  /** What was written; the rest was seen at the destination before. */
  readonly written: ReadonlySet<Digest>;
  readonly tags: ReadonlyMap<string, Digest>;
}

/**
 * Asks the destination again for everything that was written: every manifest, every tag, and that each subject's list shows
 * the referrers it should. Some registries list a moment late, so a list is asked for a few times.
 *
 * @throws BoltsealError COPY_INCOMPLETE, and the destination's codes
 */
export async function verifyCopy(destination: WritableSource, claims: Claims, context: Context): Promise<void> {
  const wrongTags = await findWrongTags(destination, claims.tags);
  // A tag that stands for a digest says that it is there, too.
  const shown = wrongTags.length === 0 && destination.findTag !== undefined ? new Set(claims.tags.values()) : new Set();
  const missing = [
    ...wrongTags,
    ...(await findMissing(destination, [...claims.written.difference(shown)])),
    ...(await findUnlistedPatiently(destination, claims, context)),
  ];
  if (missing.length === 0) return;
  const told = missing.slice(0, MAX_SHOWN).join('; ');
  const more = missing.length > MAX_SHOWN ? `; and ${missing.length - MAX_SHOWN} more` : '';
  throw new BoltsealError('COPY_INCOMPLETE', `the copy is not complete at the destination: ${told}${more}`, {
    hint: 'Run the copy again. If it stays like this, the registry loses what it was sent: do not rely on this copy.',
  });
}

async function findMissing(destination: WritableSource, digests: readonly Digest[]): Promise<readonly string[]> {
  const asked = mapParallel(digests, LIMITS.parallelFetches, async (digest) =>
    (await onSide('destination', () => isThere(destination, digest))) ? [] : [`${digest} is not there`],
  );
  return (await Array.fromAsync(asked)).flat();
}

async function isThere(destination: WritableSource, digest: Digest): Promise<boolean> {
  if (destination.hasManifest !== undefined) return destination.hasManifest(digest);
  try {
    await destination.readManifest(digest);
    return true;
  } catch (error) {
    if (isBoltsealError(error, 'NOT_FOUND')) return false;
    throw error;
  }
}

async function findUnlistedPatiently(
  destination: WritableSource,
  { graph, written }: Claims,
  { signal }: Context,
): Promise<readonly string[]> {
  let unlisted = written;
  for (const pauseMs of PAUSES_MS) {
    await sleep(pauseMs, undefined, { signal });
    unlisted = await findUnlisted(destination, graph, unlisted);
    if (unlisted.size === 0) return [];
  }
  return [...unlisted].map((digest) => {
    const subject = graph.nodes.get(digest)?.manifest.subject?.digest ?? 'its subject';
    return `${digest} is stored, but not among the referrers of ${subject}`;
  });
}

async function findWrongTags(
  destination: WritableSource,
  tags: ReadonlyMap<string, Digest>,
): Promise<readonly string[]> {
  const asked = mapParallel([...tags], LIMITS.parallelFetches, async ([tag, digest]) => {
    const found = await onSide('destination', async () => destination.findTag?.(tag));
    return found === digest || destination.findTag === undefined ? [] : [`the tag ${tag} is ${found ?? 'not there'}`];
  });
  return (await Array.fromAsync(asked)).flat();
}

const PAUSES_MS = [0, 300, 1500];
const MAX_SHOWN = 5;
