import { json, problem, type Answer } from './http-server.ts';
import type { RecordedRequest, State } from './registry-server.ts';

export interface ReferrersBehaviour {
  /** The API, no API (plain 404), an API that always says "none", or any other answer. */
  referrers: 'api' | 'none' | 'always-empty' | Answer;
  pageSize: number;
  link: 'relative' | 'absolute' | 'unquoted' | 'circle' | 'elsewhere';
  /** Honours ?artifactType= and says so. */
  filters: boolean | 'silently';
}

const INDEX = 'application/vnd.oci.image.index.v1+json';

interface Parsed {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config?: { readonly mediaType: string };
  readonly annotations?: Record<string, string>;
  readonly subject?: { readonly digest: string };
}

export function referrersAnswer(subject: string, request: RecordedRequest, state: State): Answer {
  const { referrers, filters } = state.behaviour;
  if (typeof referrers === 'object') return referrers;
  if (referrers === 'none')
    return { status: 404, body: '404 page not found', headers: { 'content-type': 'text/plain' } };
  if (!/^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$/.test(subject)) return problem(400, 'DIGEST_INVALID');
  const wanted = filters === false ? null : request.query.get('artifactType');
  const entries = referrers === 'always-empty' ? [] : entriesFor(subject, state);
  const kept = entries.filter(({ artifactType }) => wanted === null || artifactType === wanted);
  const applied: Record<string, string> =
    wanted !== null && filters === true ? { 'oci-filters-applied': 'annotation , artifactType' } : {};
  return page(kept, request, { state, headers: applied });
}

function entriesFor(subject: string, { manifests, hidden }: State): readonly Record<string, unknown>[] {
  return [...manifests].flatMap(([digest, { bytes }]) => {
    const parsed = JSON.parse(bytes.toString()) as Parsed;
    if (parsed.subject?.digest !== subject || hidden.has(digest)) return [];
    const { mediaType, annotations, config } = parsed;
    const artifactType = parsed.artifactType ?? config?.mediaType;
    return [{ mediaType, digest, size: bytes.length, artifactType, annotations }];
  });
}

function page(
  entries: readonly Record<string, unknown>[],
  { path, query, headers: asked }: RecordedRequest,
  { state, headers }: { state: State; headers: Record<string, string> },
): Answer {
  const { pageSize, link } = state.behaviour;
  const from = Number(query.get('from') ?? 0);
  const manifests = entries.slice(from, from + pageSize);
  const next = new URLSearchParams(query);
  next.set('from', String(from + pageSize));
  const target = `${path}?${next}`;
  const links = {
    relative: `<${target}>; rel="next"`,
    absolute: `<http://${asked.host}${target}>; title="a, b"; rel="next"`,
    unquoted: `<${target}>; rel=next`,
    circle: `<${path}?${query}>; rel="next"`,
    elsewhere: `<http://127.0.0.2:1${target}>; rel="next"`,
  };
  const more = from + pageSize < entries.length;
  return json(
    200,
    { schemaVersion: 2, mediaType: INDEX, manifests },
    { ...headers, 'content-type': INDEX, ...(more ? { link: links[link] } : {}) },
  );
}
