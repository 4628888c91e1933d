import type { Context } from '../../base/context.ts';
import { BoltsealError, messageOf } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { parseManifest } from '../../oci/manifest.ts';
import { MEDIA_TYPES } from '../../oci/media-types.ts';
import { discardBody, readBody } from '../http.ts';
import type { HttpResponse } from '../http-message.ts';
import { resolveLocation } from '../redirect.ts';
import { nextLink } from './link.ts';
import { isUnknownRepository, nameOf } from './manifests.ts';
import type { RepositoryClient } from './repository-client.ts';
import { readProblems } from './response-error.ts';

export type ApiAnswer =
  | {
      readonly kind: 'listed';
      readonly referrers: readonly Descriptor[];
      /** The registry says that it has left out other artifact types. */
      readonly filtered: boolean;
    }
  /** There is no referrers API here: the fallback tag decides. */
  | { readonly kind: 'unsupported' }
  /** The registry says it has no such repository; whether it has the API cannot be told. */
  | { readonly kind: 'no-repository' };

/**
 * Asks the referrers API: distribution-spec 1.1.1, "Listing Referrers", all pages. Only answers that really mean "there is no
 * such API" are taken for that; refusals, rate limits and trouble throw, so that they cannot read as "no referrers".
 *
 * @throws BoltsealError REGISTRY_UNSAFE, REGISTRY_ERROR, LIMIT_EXCEEDED, MANIFEST_INVALID and the registry's codes
 */
export async function askReferrersApi(
  client: RepositoryClient,
  { subject, artifactType }: { readonly subject: Digest; readonly artifactType?: string },
  context: Context,
): Promise<ApiAnswer> {
  // URLSearchParams writes the + of …+json as %2B; a raw one would arrive as a space.
  const query = artifactType === undefined ? '' : `?${new URLSearchParams({ artifactType }).toString()}`;
  const first = await getPage(client, `referrers/${subject}${query}`, subject);
  const refusal = await readRefusal(first, context);
  return refusal ?? collectPages(client, { first, subject, asked: artifactType !== undefined }, context);
}

function getPage(client: RepositoryClient, path: string | URL, subject: Digest): Promise<HttpResponse> {
  return client.send({
    method: 'GET',
    path,
    headers: { accept: MEDIA_TYPES.ociIndex },
    access: 'pull',
    // Some registries send the path to their web site, where nothing that is answered means anything.
    redirect: 'same-origin',
    doing: `listing the referrers of ${nameOf(client)}@${subject}`,
  });
}

/** 400 is here too: a well-formed digest is not a bad request to a registry that knows the API, bar a few that do. */
const NO_API: ReadonlySet<number> = new Set([301, 302, 303, 307, 308, 400, 404, 405, 406, 501]);

async function readRefusal(response: HttpResponse, context: Context): Promise<ApiAnswer | undefined> {
  if (response.status === 200 && isIndex(response)) return undefined;
  if (response.status === 404) {
    const unknown = isUnknownRepository(await readProblems(response, context));
    return { kind: unknown ? 'no-repository' : 'unsupported' };
  }
  await discardBody(response);
  if (response.status === 200 || NO_API.has(response.status)) return { kind: 'unsupported' };
  throw new BoltsealError(
    'REGISTRY_ERROR',
    `${response.url.host} answered ${response.status} to a question for referrers`,
    {
      hint: 'This answer means nothing in the protocol, so nothing was concluded from it. A proxy may interfere.',
    },
  );
}

function isIndex({ headers }: HttpResponse): boolean {
  return headers['content-type']?.split(';')[0]?.trim().toLowerCase() === MEDIA_TYPES.ociIndex;
}

interface Walk {
  readonly first: HttpResponse;
  readonly subject: Digest;
  /** A filter was asked for. */
  readonly asked: boolean;
}

async function collectPages(client: RepositoryClient, walk: Walk, context: Context): Promise<ApiAnswer> {
  const referrers = new Map<Digest, Descriptor>();
  const visited = new Set<string>([walk.first.url.href]);
  let filtered = false;
  let leftBytes: number = LIMITS.referrersListBytes;
  for (let page: HttpResponse | undefined = walk.first; page !== undefined;) {
    const { bytes, entries, annotations } = await readPage(page, Math.min(leftBytes, LIMITS.manifestBytes), context);
    leftBytes -= bytes;
    for (const entry of entries) if (!referrers.has(entry.digest)) referrers.set(entry.digest, entry);
    filtered ||= walk.asked && saysFiltered(page, annotations);
    if (referrers.size > LIMITS.referrersPerSubject || visited.size > LIMITS.listPages) throw tooMany(walk.subject);
    page = await followingPage(client, { page, visited, subject: walk.subject });
  }
  return { kind: 'listed', referrers: [...referrers.values()], filtered };
}

async function readPage(
  page: HttpResponse,
  maxBytes: number,
  context: Context,
): Promise<{ bytes: number; entries: readonly Descriptor[]; annotations: Readonly<Record<string, string>> }> {
  const what = `the list of referrers of ${page.url.host}`;
  const bytes = await readBody(page, maxBytes, context);
  const index = parseManifest(bytes, page.headers['content-type'], what);
  if (index.kind !== 'index') throw unusable(page, 'it is not an index');
  return { bytes: bytes.length, entries: index.manifests, annotations: index.annotations };
}

async function followingPage(
  client: RepositoryClient,
  { page, visited, subject }: { readonly page: HttpResponse; readonly visited: Set<string>; readonly subject: Digest },
): Promise<HttpResponse | undefined> {
  const link = nextLink(page.headers['link'] ?? '');
  if (link === undefined) return undefined;
  const next = resolveLocation(link, page.url);
  if (next.origin !== page.url.origin) {
    throw new BoltsealError('REGISTRY_UNSAFE', `${page.url.host} continues its list of referrers at ${next.origin}`, {
      hint: 'A list that is continued elsewhere is refused. If the registry is yours, correct its external address.',
    });
  }
  if (visited.has(next.href)) throw unusable(page, 'its pages go in a circle');
  visited.add(next.href);
  const response = await getPage(client, next, subject);
  if (response.status === 200 && isIndex(response)) return response;
  await discardBody(response);
  throw unusable(page, `a later page was answered with ${response.status}`);
}

/** The header of 1.1, or the annotation that release candidates used. Both are lists, with or without spaces. */
function saysFiltered({ headers }: HttpResponse, annotations: Readonly<Record<string, string>>): boolean {
  const applied = `${headers['oci-filters-applied'] ?? ''},${annotations['org.opencontainers.referrers.filtersApplied'] ?? ''}`;
  return applied.split(',').some((name) => name.trim() === 'artifactType');
}

function tooMany(subject: Digest): BoltsealError {
  return new BoltsealError('LIMIT_EXCEEDED', `${subject} has more than ${LIMITS.referrersPerSubject} referrers`, {
    hint: 'Delete referrers that are no longer needed; nobody can look through so many.',
  });
}

function unusable({ url }: HttpResponse, why: string): BoltsealError {
  return new BoltsealError('REGISTRY_ERROR', `the list of referrers of ${url.host} cannot be used: ${messageOf(why)}`, {
    hint: 'The registry answers against the protocol, so the list may be incomplete. Tell whoever runs it.',
  });
}
