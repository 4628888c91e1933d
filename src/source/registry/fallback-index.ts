import type { Context } from '../../base/context.ts';
import { BoltsealError, isBoltsealError } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { asArray, asObject, type JsonObject } from '../../base/shape.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { algorithmOf, digestOf, type Digest } from '../../oci/digest.ts';
import { parseManifest, type Manifest } from '../../oci/manifest.ts';
import { MEDIA_TYPES } from '../../oci/media-types.ts';
import { readBody } from '../http.ts';
import { referrersTag } from '../referrer-entry.ts';
import { ACCEPT_MANIFESTS, isUnknownRepository, nameOf } from './manifests.ts';
import type { RepositoryClient } from './repository-client.ts';
import { readProblems } from './response-error.ts';

/** What the fallback tag of a subject holds: distribution-spec 1.1.1, "Referrers Tag Schema". */
export type FallbackIndex =
  | {
      readonly kind: 'index';
      readonly referrers: readonly Descriptor[];
      /** The document as it is stored, so that a writer keeps what it does not know. */
      readonly document: JsonObject;
      readonly etag?: string;
    }
  | { readonly kind: 'absent'; readonly repositoryIsKnown: boolean }
  /** Something else has that tag. Readers ignore it, writers must not touch it. */
  | { readonly kind: 'foreign'; readonly why: string };

/** @throws BoltsealError MANIFEST_INVALID, JSON_INVALID and the registry's codes */
export async function readFallbackIndex(
  client: RepositoryClient,
  subject: Digest,
  context: Context,
): Promise<FallbackIndex> {
  const tag = referrersTag(subject);
  const doing = `reading the referrers tag ${nameOf(client)}:${tag}`;
  const response = await client.send({
    method: 'GET',
    path: `manifests/${tag}`,
    headers: { accept: ACCEPT_MANIFESTS, 'cache-control': 'no-cache' },
    access: 'pull',
    doing,
  });
  if (response.status === 404)
    return { kind: 'absent', repositoryIsKnown: !isUnknownRepository(await readProblems(response, context)) };
  if (response.status !== 200) throw await client.failure(response, doing);
  const bytes = await readBody(response, LIMITS.manifestBytes, context);
  return parseFallbackIndex({ bytes, headers: response.headers, subject, what: `${nameOf(client)}:${tag}` });
}

interface Received {
  readonly bytes: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
  readonly subject: Digest;
  readonly what: string;
}

function parseFallbackIndex({ bytes, headers, subject, what }: Received): FallbackIndex {
  // A registry that reads the tag as the digest it is made of answers with the subject itself.
  if (digestOf(bytes, algorithmOf(subject)) === subject) return foreign('the registry answers with the image itself');
  const index = parseIndex(bytes, headers['content-type'], what);
  if (index === undefined) return foreign('it holds something that is neither an image nor an index');
  if (index.kind !== 'index' || index.mediaType !== MEDIA_TYPES.ociIndex)
    return foreign(`it holds ${index.mediaType} instead of an index`);
  if (index.subject !== undefined) return foreign('it holds an index that refers to something itself');
  if (index.manifests.length > LIMITS.referrersPerSubject) {
    throw new BoltsealError('LIMIT_EXCEEDED', `${what} lists more than ${LIMITS.referrersPerSubject} referrers`, {
      hint: 'Delete referrers that are no longer needed; nobody can look through so many.',
    });
  }
  const etag = headers['etag'];
  return {
    kind: 'index',
    referrers: index.manifests,
    document: asObject(parseJson(bytes, { what, maxBytes: LIMITS.manifestBytes }), what),
    ...(etag === undefined || etag.startsWith('W/') ? {} : { etag }),
  };
}

function parseIndex(bytes: Uint8Array, contentType: string | undefined, what: string): Manifest | undefined {
  try {
    return parseManifest(bytes, contentType, what);
  } catch (error) {
    if (isBoltsealError(error, 'MEDIA_TYPE_UNSUPPORTED')) return undefined;
    throw error;
  }
}

function foreign(why: string): FallbackIndex {
  return { kind: 'foreign', why };
}

/** The entries of the stored document, each with the fields it had. */
export function entriesOf(index: FallbackIndex): readonly unknown[] {
  return index.kind === 'index' ? asArray(index.document['manifests'] ?? [], 'manifests') : [];
}
