import { MEDIA_TYPES } from '../../../oci/media-types.ts';
import { isManifest, isReferrers, problem, seeBody, withHeaders, type ActiveFault, type Fault } from './fault.ts';
import type { SandboxReply, SandboxRequest } from '../../http/message.ts';

const EMPTY_INDEX = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] });

function onReferrers(reply: SandboxReply): ActiveFault {
  return {
    settings: { referrersApi: false },
    answer: (request, next) => (isReferrers(request) ? reply : next()),
  };
}

/** What registries without the referrers API, and some with it, do to clients that ask it. */
export const REFERRERS_FAULTS = {
  'html-404': {
    summary: 'no referrers API: a proxy answers with a web page (GitLab behind a proxy)',
    start: () => onReferrers({ status: 404, headers: { 'content-type': 'text/html' }, body: '<h1>Not found</h1>' }),
  },
  '303-cross-host': {
    summary: 'no referrers API: the request is sent to a web site at another host (GHCR)',
    start: ({ elsewhere }) => onReferrers({ status: 303, headers: { location: `${elsewhere}/-/v2/packages` } }),
  },
  'false-200-empty': {
    summary: 'no referrers API, but every listing is an empty list',
    start: () => onReferrers({ status: 200, headers: { 'content-type': MEDIA_TYPES.ociIndex }, body: EMPTY_INDEX }),
  },
  'no-oci-subject': {
    summary: 'the referrers API without the OCI-Subject header (Quay)',
    start: () => ({ answer: async (_request, next) => withHeaders(await next(), { 'oci-subject': undefined }) }),
  },
  'lying-oci-subject': {
    summary: 'OCI-Subject without the referrers API: what is pushed is listed nowhere (Docker Hub in 2024)',
    start: () => ({ settings: { referrersApi: false }, answer: claimSubject }),
  },
  'unknown-subject-400': {
    summary: 'the referrers of what is not there are a bad request (Quay)',
    start: () => ({
      answer: async (request, next) => {
        if (!isReferrers(request)) return next();
        const reply = await next();
        const isEmpty = typeof reply.body === 'string' && reply.body.includes('"manifests":[]');
        return isEmpty ? problem(400, 'MANIFEST_INVALID') : reply;
      },
    }),
  },
  'dash-tag-is-digest': {
    summary: 'no referrers API, and the fallback tag is read as the digest it is made of (GitLab)',
    start: () => ({
      settings: { referrersApi: false },
      answer: (request, next) => {
        if (isManifest(request) && request.method !== 'PUT')
          request.url.pathname = request.url.pathname.replace(/\/sha256-([0-9a-f]{64})$/, '/sha256:$1');
        return next();
      },
    }),
  },
  'filter-ignored': {
    summary: 'listings are not narrowed by artifact type',
    start: () => ({
      answer: (request, next) => {
        if (isReferrers(request)) request.url.searchParams.delete('artifactType');
        return next();
      },
    }),
  },
  paging: { summary: 'one referrer on a page', start: () => ({ settings: { referrersPerPage: 1 } }) },
  'unquoted-rel': {
    summary: 'one referrer on a page, and links without quotes (olareg)',
    start: () => ({
      settings: { referrersPerPage: 1 },
      answer: async (_request, next) => {
        const reply = await next();
        const link = reply.headers?.['link'];
        return typeof link === 'string' ? withHeaders(reply, { link: link.replace('"next"', 'next') }) : reply;
      },
    }),
  },
} as const satisfies Readonly<Record<string, Fault>>;

/** Reads the subject out of what is pushed, as a registry that has the API would. */
async function claimSubject(request: SandboxRequest, next: () => Promise<SandboxReply>): Promise<SandboxReply> {
  if (request.method !== 'PUT' || !isManifest(request)) return next();
  const seen = seeBody(request);
  const reply = await next();
  const text = seen().toString('utf8');
  const subject = /"subject":\{[^}]*"digest":"(?<digest>sha256:[0-9a-f]{64})"/.exec(text)?.groups?.['digest'];
  return reply.status === 201 && subject !== undefined ? withHeaders(reply, { 'oci-subject': subject }) : reply;
}
