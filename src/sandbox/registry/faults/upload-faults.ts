import { firstTimes, isManifest, isUpload, problem, withHeaders, type Fault } from './fault.ts';

const SMALL_BYTES = 512;

/** What registries do to clients that push. */
export const UPLOAD_FAULTS = {
  'upload-elsewhere': {
    summary: 'uploads are taken at another host, which refuses credentials',
    start: ({ elsewhere }) => ({
      answer: async (request, next) => absolute(isUpload(request), await next(), elsewhere),
    }),
  },
  'absolute-location': {
    summary: 'uploads go on at a whole address instead of a path',
    start: ({ url }) => ({ answer: async (request, next) => absolute(isUpload(request), await next(), url) }),
  },
  'single-post-202': {
    summary: 'a blob that comes with the POST is not taken: the upload has only begun (distribution 2.8)',
    start: () => ({
      answer: (request, next) => {
        if (request.method === 'POST' && isUpload(request))
          for (const name of ['digest', 'mount', 'from']) request.url.searchParams.delete(name);
        return next();
      },
    }),
  },
  'stale-upload': {
    summary: 'the first upload is forgotten before it is finished',
    start: () => onFirstPut(() => problem(404, 'BLOB_UPLOAD_UNKNOWN')),
  },
  'upload-416': {
    summary: 'the first upload is said to be out of order',
    start: () => onFirstPut(() => problem(416, 'BLOB_UPLOAD_INVALID', { range: '0-0' })),
  },
  'immutable-tags': {
    summary: 'no referrers API, and a tag that is there cannot be written again (ECR, Artifact Registry)',
    start: () => {
      const seen = new Set<string>();
      return {
        settings: { referrersApi: false },
        answer: async (request, next) => {
          const { pathname } = request.url;
          const isTag = request.method === 'PUT' && isManifest(request) && !/\/sha256(?::|%3A)[^/]*$/i.test(pathname);
          if (isTag && seen.has(pathname)) return problem(400, 'TAG_INVALID');
          const reply = await next();
          if (isTag && reply.status === 201) seen.add(pathname);
          return reply;
        },
      };
    },
  },
  'no-delete': {
    summary: 'nothing can be deleted',
    start: () => ({
      answer: (request, next) =>
        request.method === 'DELETE' && !isUpload(request) ? problem(405, 'UNSUPPORTED') : next(),
    }),
  },
  'no-sha512': {
    summary: 'sha512 digests are malformed to it',
    start: () => ({
      answer: (request, next) => {
        const text = decodeURIComponent(request.url.pathname + request.url.search);
        return text.includes('sha512:') ? problem(400, 'DIGEST_INVALID') : next();
      },
    }),
  },
  'small-manifests': {
    summary: `manifests of more than ${SMALL_BYTES} bytes are too large (413)`,
    start: () => ({
      answer: (request, next) => {
        const sizeBytes = Number(request.headers['content-length'] ?? 0);
        const isTooLarge = request.method === 'PUT' && isManifest(request) && sizeBytes > SMALL_BYTES;
        return isTooLarge ? problem(413, 'SIZE_INVALID') : next();
      },
    }),
  },
  'if-match-412': {
    summary:
      'no referrers API; If-Match counts, and the first two writers of a fallback tag are told that they came too late',
    start: () => {
      const tooLate = firstTimes(2);
      return {
        settings: { referrersApi: false },
        answer: async (request, next) => {
          const { 'if-match': match, 'if-none-match': none } = request.headers;
          const isConditional = request.method === 'PUT' && isManifest(request) && (match ?? none) !== undefined;
          return (isConditional ? tooLate(() => problem(412, 'PRECONDITION_FAILED')) : undefined) ?? next();
        },
      };
    },
  },
} as const satisfies Readonly<Record<string, Fault>>;

function absolute(applies: boolean, reply: Parameters<typeof withHeaders>[0], base: string): typeof reply {
  const location = reply.headers?.['location'];
  return applies && reply.status === 202 && typeof location === 'string'
    ? withHeaders(reply, { location: `${base}${location}?state=a%2Fb` })
    : reply;
}

function onFirstPut(reply: () => ReturnType<typeof problem>): ReturnType<Fault['start']> {
  const once = firstTimes(1);
  return {
    answer: (request, next) => (request.method === 'PUT' && isUpload(request) ? once(reply) : undefined) ?? next(),
  };
}
