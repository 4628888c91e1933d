import type { Context } from '../../base/context.ts';
import { BoltsealError, messageOf } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { asArray, asObject, asString, optional, ShapeError } from '../../base/shape.ts';
import { isDigest, type Digest } from '../../oci/digest.ts';
import { discardBody, readBody } from '../http.ts';
import type { HttpResponse } from '../http-message.ts';
import { resolveLocation } from '../redirect.ts';
import { nextLink } from './link.ts';
import { ACCEPT_MANIFESTS, nameOf, resolveTag } from './manifests.ts';
import type { RepositoryClient } from './repository-client.ts';

/**
 * What a tag stands for; undefined when the registry says that it is not there: one HEAD, where HEAD is answered.
 *
 * @throws BoltsealError the registry's codes
 */
export async function findTag(client: RepositoryClient, tag: string, context: Context): Promise<Digest | undefined> {
  const doing = `looking up ${nameOf(client)}:${tag}`;
  const headers = { accept: ACCEPT_MANIFESTS };
  const head = await client.send({ method: 'HEAD', path: `manifests/${tag}`, headers, access: 'pull', doing });
  await discardBody(head);
  const digest = head.headers['docker-content-digest'] ?? '';
  if (head.status === 200 && isDigest(digest)) return digest;
  if (head.status === 404) return undefined;
  return resolveTag(client, tag, context);
}

/**
 * All tags of the repository, sorted, every page: distribution-spec 1.1.1, "Listing Tags". No page size is asked for, since
 * some registries refuse large ones and some ignore it; only a Link says that there is more.
 *
 * @throws BoltsealError NOT_FOUND, REGISTRY_UNSAFE, REGISTRY_ERROR, LIMIT_EXCEEDED and the registry's codes
 */
export async function listTags(client: RepositoryClient, context: Context): Promise<readonly string[]> {
  const tags = new Set<string>();
  const visited = new Set<string>();
  for (let path: string | URL | undefined = 'tags/list'; path !== undefined;) {
    const page = await getPage(client, path);
    visited.add(page.url.href);
    for (const tag of await readPage(page, context)) tags.add(tag);
    if (tags.size > LIMITS.tagsPerRepository || visited.size > LIMITS.listPages) throw tooMany(client);
    path = followingPage(page, visited);
  }
  return [...tags].toSorted();
}

async function getPage(client: RepositoryClient, path: string | URL): Promise<HttpResponse> {
  const doing = `listing the tags of ${nameOf(client)}`;
  const response = await client.send({ method: 'GET', path, access: 'pull', doing });
  if (response.status !== 200) throw await client.failure(response, doing);
  return response;
}

async function readPage(page: HttpResponse, context: Context): Promise<readonly string[]> {
  const what = `the list of tags of ${page.url.host}`;
  const body = parseJson(await readBody(page, LIMITS.manifestBytes, context), { what, maxBytes: LIMITS.manifestBytes });
  try {
    const tags = optional(asObject(body, 'the list'), 'tags', asArray) ?? [];
    return tags.map((tag, at) => asString(tag, `tags[${at}]`));
  } catch (cause) {
    if (!(cause instanceof ShapeError)) throw cause;
    throw unusable(page, messageOf(cause), cause);
  }
}

function followingPage(page: HttpResponse, visited: ReadonlySet<string>): URL | undefined {
  const link = nextLink(page.headers['link'] ?? '');
  if (link === undefined) return undefined;
  const next = resolveLocation(link, page.url);
  if (next.origin !== page.url.origin) {
    throw new BoltsealError('REGISTRY_UNSAFE', `${page.url.host} continues its list of tags at ${next.origin}`, {
      hint: 'A list that is continued elsewhere is refused. If the registry is yours, correct its external address.',
    });
  }
  if (visited.has(next.href)) throw unusable(page, 'its pages go in a circle');
  return next;
}

function unusable({ url }: HttpResponse, why: string, cause?: unknown): BoltsealError {
  return new BoltsealError('REGISTRY_ERROR', `the list of tags of ${url.host} cannot be used: ${why}`, {
    hint: 'The registry answers against the protocol. Name the tags you want instead.',
    ...(cause === undefined ? {} : { cause }),
  });
}

function tooMany(client: RepositoryClient): BoltsealError {
  return new BoltsealError('LIMIT_EXCEEDED', `${nameOf(client)} has more than ${LIMITS.tagsPerRepository} tags`, {
    hint: 'Name the tags you want.',
  });
}
