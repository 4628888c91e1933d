import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { MEDIA_TYPES } from '../../oci/media-types.ts';
import { referrersTag } from '../referrer-entry.ts';
import { readFallbackIndex } from './fallback-index.ts';
import { nameOf } from './manifests.ts';
import { askReferrersApi } from './referrers-api.ts';
import type { RepositoryClient } from './repository-client.ts';

export interface ReferrersQuery {
  readonly subject: Digest;
  readonly artifactType?: string;
}

/**
 * The referrers a registry lists, by the API or by the fallback tag. One request when the API has an answer. An API that says
 * "none" is asked again without the filter, and the fallback tag is looked at too, since some registries answer 200 without
 * having the API, and some hold lists from before they had it.
 *
 * @throws BoltsealError NOT_FOUND (no such repository), REGISTRY_* (could not find out), MANIFEST_INVALID, LIMIT_EXCEEDED
 */
export async function listReferrers(
  client: RepositoryClient,
  query: ReferrersQuery,
  context: Context,
): Promise<readonly Descriptor[]> {
  const answer = await askReferrersApi(client, query, context);
  if (answer.kind === 'no-repository') return listFallback(client, { query, mustExist: true }, context);
  if (answer.kind === 'unsupported') return listFallback(client, { query, mustExist: false }, context);
  const found = keepType(answer.referrers, query.artifactType);
  if (found.length > 0) return found;
  const mayHideSome = query.artifactType !== undefined && (answer.filtered || answer.referrers.length === 0);
  const unfiltered = mayHideSome ? await askReferrersApi(client, { subject: query.subject }, context) : answer;
  const again = unfiltered.kind === 'listed' ? keepType(unfiltered.referrers, query.artifactType) : [];
  return union(again, await listFallback(client, { query, mustExist: false }, context));
}

async function listFallback(
  client: RepositoryClient,
  { query, mustExist }: { readonly query: ReferrersQuery; readonly mustExist: boolean },
  context: Context,
): Promise<readonly Descriptor[]> {
  const index = await readFallbackIndex(client, query.subject, context);
  if (index.kind === 'index') return keepType(index.referrers, query.artifactType);
  if (index.kind === 'foreign') {
    const message = `the tag ${nameOf(client)}:${referrersTag(query.subject)} is not a list of referrers: ${index.why}`;
    context.emit({ kind: 'warning', message });
    return [];
  }
  if (!mustExist || index.repositoryIsKnown) return [];
  throw new BoltsealError('NOT_FOUND', `there is no repository ${nameOf(client)}`, {
    hint: `Check the name. A private repository can look as if it were not there: then log in with "boltseal login ${client.host}".`,
  });
}

/**
 * Entries of the type, and those whose type the list does not say: old clients wrote the type of the empty config, or none,
 * into fallback tags. Whoever reads the manifest finds out.
 */
function keepType(entries: readonly Descriptor[], wanted: string | undefined): readonly Descriptor[] {
  if (wanted === undefined) return entries;
  return entries.filter(
    ({ artifactType }) =>
      artifactType === undefined || artifactType === wanted || artifactType === MEDIA_TYPES.ociEmpty,
  );
}

function union(a: readonly Descriptor[], b: readonly Descriptor[]): readonly Descriptor[] {
  return [...new Map([...b, ...a].map((entry) => [entry.digest, entry])).values()];
}
