import type { Descriptor } from '../../oci/descriptor.ts';
import { artifactTypeOf } from '../../oci/manifest.ts';
import { MEDIA_TYPES } from '../../oci/media-types.ts';
import { json, type Route, type SandboxReply } from '../http/message.ts';
import type { ManifestStore, PushedManifest } from './manifest-store.ts';
import { requireName } from './names.ts';
import { registryError, requireDigest } from './registry-error.ts';

interface ListOptions {
  readonly manifests: ManifestStore;
  readonly referrersApi: boolean;
  readonly referrersPerPage: number;
}

/** distribution-spec 1.1.1, "Content Discovery": tags and referrers; and `_catalog`, which many clients know. */
export function listRoutes({ manifests, referrersApi, referrersPerPage }: ListOptions): readonly Route[] {
  const tags: Route = {
    methods: ['GET'],
    path: /^\/v2\/(?<name>.+)\/tags\/list$/,
    answer: ({ url }, { name }) => listTags(url, requireName(name), manifests),
  };
  const catalog: Route = {
    methods: ['GET'],
    path: /^\/v2\/_catalog$/,
    answer: ({ url }) => listPage(url, manifests.repositories(), (repositories) => ({ repositories })),
  };
  const referrers: Route = {
    methods: ['GET'],
    path: /^\/v2\/(?<name>.+)\/referrers\/(?<digest>[^/]+)$/,
    answer: ({ url }, { name, digest }) =>
      listReferrers(url, { name: requireName(name), subject: requireDigest(digest) }, { manifests, referrersPerPage }),
  };
  return referrersApi ? [catalog, tags, referrers] : [catalog, tags];
}

function listTags(url: URL, name: string, manifests: ManifestStore): SandboxReply {
  if (!manifests.hasRepository(name))
    throw registryError('NAME_UNKNOWN', 'repository name not known to registry', { detail: { name } });
  return listPage(url, manifests.tags(name), (tags) => ({ name, tags }));
}

/** A page of `n` entries after `last`, with a Link to the next where there is one (RFC 8288). */
function listPage(url: URL, entries: readonly string[], wrap: (page: readonly string[]) => object): SandboxReply {
  const n = url.searchParams.get('n');
  const last = url.searchParams.get('last');
  if (n !== null && !/^\d{1,9}$/.test(n))
    throw registryError('UNSUPPORTED', 'n should be a whole number', { status: 400 });
  const rest = last === null ? entries : entries.filter((entry) => entry > last);
  const page = n === null ? rest : rest.slice(0, Number(n));
  const end = page.at(-1);
  const more = page.length < rest.length && end !== undefined;
  return json(200, wrap(page), more ? nextLink(url, { n: n ?? '', last: end }) : {});
}

interface Listing {
  readonly manifests: ManifestStore;
  readonly referrersPerPage: number;
}

function listReferrers(
  url: URL,
  { name, subject }: { readonly name: string; readonly subject: string },
  { manifests, referrersPerPage }: Listing,
): SandboxReply {
  const artifactType = url.searchParams.get('artifactType');
  const after = url.searchParams.get('after');
  const matching = manifests
    .manifests(name)
    .filter(({ manifest }) => manifest.subject?.digest === subject)
    .map(describe)
    .filter((descriptor) => artifactType === null || descriptor.artifactType === artifactType);
  const start = after === null ? 0 : matching.findIndex(({ digest }) => digest === after) + 1;
  const page = matching.slice(start, start + referrersPerPage);
  const end = page.at(-1);
  const more = start + page.length < matching.length && end !== undefined;
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: page };
  return json(200, index, {
    'content-type': MEDIA_TYPES.ociIndex,
    ...(artifactType === null ? {} : { 'oci-filters-applied': 'artifactType' }),
    ...(more ? nextLink(url, { after: end.digest }) : {}),
  });
}

/** The manifest's own type and all its annotations: "Listing Referrers". */
function describe({ digest, bytes, manifest }: PushedManifest): Descriptor {
  const artifactType = artifactTypeOf(manifest);
  return {
    mediaType: manifest.mediaType,
    digest,
    size: bytes.length,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(Object.keys(manifest.annotations).length === 0 ? {} : { annotations: manifest.annotations }),
  };
}

/** Keeps the other parameters; the URL is relative, as the specification allows. */
function nextLink(url: URL, parameters: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const next = new URL(url);
  for (const [key, value] of Object.entries(parameters)) next.searchParams.set(key, value);
  return { link: `<${next.pathname}${next.search}>; rel="next"` };
}
