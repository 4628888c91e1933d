import type { Context } from '../base/context.ts';
import { BoltsealError, isBoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Digest } from '../oci/digest.ts';
import { artifactTypeOf } from '../oci/manifest.ts';
import { formatReference } from '../oci/reference.ts';
import type { ContentDeleter, ManifestReader, ReferrerLister, WritableSource } from '../source/source.ts';
import { discoverReferrers, type ReferrerNode } from './discover.ts';

export interface DetachOptions {
  /** Refuses a referrer of something else. */
  readonly subject?: Digest;
  /** Also what refers to the referrer, and to that. Without it, a referrer that something refers to stays. */
  readonly recursive?: boolean;
}

export interface DetachedReferrer {
  readonly digest: Digest;
  readonly subject: Digest;
  readonly artifactType?: string;
}

type DetachTarget = ManifestReader & ReferrerLister & ContentDeleter;

/**
 * Removes a referrer: off its subject's list first, then its manifest, so that no list ever names what is gone (registries
 * refuse such lists). What refers to it goes before it. Blobs stay for the registry to clean up. Returns what was removed, in
 * that order (distribution-spec 1.1.1, "Deleting Manifests").
 *
 * @throws BoltsealError USAGE (not a referrer, or something refers to it), DELETE_REFUSED saying what was removed, NOT_FOUND …
 */
export async function detachReferrer(
  target: WritableSource,
  referrer: Digest,
  options: DetachOptions,
  context: Context,
): Promise<readonly DetachedReferrer[]> {
  if (!canDelete(target)) {
    throw new BoltsealError('NOT_WRITABLE', `nothing can be removed from ${formatReference(target.reference)}`, {
      hint: 'Name an image in a registry, or in an OCI layout folder (oci:DIR).',
    });
  }
  const first = await describe(target, referrer);
  if (options.subject !== undefined && options.subject !== first.subject) {
    throw new BoltsealError('USAGE', `${referrer} refers to ${first.subject} and not to ${options.subject}`, {
      hint: 'Show what refers to the image with "boltseal discover".',
    });
  }
  const { referrers } = await discoverReferrers(target, referrer, {
    depth: options.recursive === true ? LIMITS.discoverDepth : 1,
  });
  const above = referrers.filter(({ rejected }) => rejected === undefined);
  if (above.length > 0 && options.recursive !== true) throw inUse(referrer, above);
  const removed: DetachedReferrer[] = [];
  for (const digest of [...above.flatMap(deepestFirst), referrer]) {
    const one = digest === referrer ? first : await describe(target, digest);
    await removeOne(target, one, removed);
    removed.push(one);
    context.emit({ kind: 'step', message: `removed ${digest}` });
  }
  return removed;
}

function canDelete(target: WritableSource): target is WritableSource & ContentDeleter {
  return target.deleteManifest !== undefined && target.unlistReferrer !== undefined;
}

async function describe(target: ManifestReader, digest: Digest): Promise<DetachedReferrer> {
  const { manifest } = await target.readManifest(digest);
  const artifactType = artifactTypeOf(manifest);
  if (manifest.subject !== undefined)
    return { digest, subject: manifest.subject.digest, ...(artifactType === undefined ? {} : { artifactType }) };
  throw new BoltsealError('USAGE', `${digest} does not refer to anything, so there is nothing to detach it from`, {
    hint: 'Only what was attached can be detached; an image is deleted with the tools of its registry.',
  });
}

function deepestFirst({ digest, referrers }: ReferrerNode): readonly Digest[] {
  const real = referrers.filter(({ rejected }) => rejected === undefined);
  return [...real.flatMap(deepestFirst), digest];
}

async function removeOne(
  target: DetachTarget,
  { digest, subject }: DetachedReferrer,
  before: readonly DetachedReferrer[],
): Promise<void> {
  const unlisted = await target.unlistReferrer(subject, digest);
  try {
    await target.deleteManifest(digest);
  } catch (error) {
    if (!isBoltsealError(error)) throw error;
    const listed = unlisted
      ? `it was taken off the list of ${subject}, but is still stored under its digest`
      : 'it was not removed';
    const earlier = before.length === 0 ? '' : `; removed before: ${before.map((one) => one.digest).join(', ')}`;
    throw new BoltsealError(error.code, `${digest} cannot be deleted: ${listed}${earlier}: ${error.message}`, {
      hint: error.hint,
      cause: error,
    });
  }
}

function inUse(digest: Digest, above: readonly ReferrerNode[]): BoltsealError {
  const shown = above
    .slice(0, MAX_SHOWN)
    .map((one) => `${one.descriptor?.artifactType ?? 'unknown type'} ${one.digest}`);
  return new BoltsealError('USAGE', `${above.length} artifacts refer to ${digest}: ${shown.join(', ')}`, {
    hint: 'They would hang on nothing. Detach them first, or all together with --recursive.',
  });
}

const MAX_SHOWN = 5;
