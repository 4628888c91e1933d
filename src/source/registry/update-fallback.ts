import { randomInt } from 'node:crypto';
import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { isDigest, type Digest } from '../../oci/digest.ts';
import { MEDIA_TYPES } from '../../oci/media-types.ts';
import { discardBody } from '../http.ts';
import type { HttpResponse } from '../http-message.ts';
import { referrersTag } from '../referrer-entry.ts';
import { entriesOf, readFallbackIndex, type FallbackIndex } from './fallback-index.ts';
import { ACCEPT_MANIFESTS, nameOf } from './manifests.ts';
import type { RepositoryClient } from './repository-client.ts';
import { problemError, readProblems, type RegistryProblem } from './response-error.ts';
import { pause } from './retry.ts';

/** The entry has to be seen this often in a row, with random pauses, before it counts as staying. */
const CLEAN_READS = 3;
/** Pauses reach from this, or two round trips, to three times that: somebody else's read and write have to fit in. */
const SHORTEST_PAUSE_MS = 30;
const LONGEST_PAUSE_MS = 700;

/**
 * Puts a referrer on the list under its subject's fallback tag: distribution-spec 1.1.1, "Pushing Manifests with Subject".
 *
 * The list is read, changed and written, and nothing in the protocol keeps two writers apart: registries that honour If-Match
 * are rare. So the writer looks again, with random pauses, until its entry has stayed for several reads, and adds it again
 * when somebody else's list has replaced it.
 *
 * @throws BoltsealError REFERRERS_UPDATE_FAILED and the registry's codes
 */
export async function addToFallbackIndex(
  client: RepositoryClient,
  { subject, entry }: { readonly subject: Digest; readonly entry: Descriptor },
  context: Context,
): Promise<void> {
  let pruned: ReadonlySet<string> = new Set();
  let cleanReads = 0;
  let written = false;
  for (let attempt = 0; attempt < LIMITS.fallbackTagAttempts; attempt += 1) {
    const startedAt = context.now().getTime();
    const index = await readFallbackIndex(client, subject, context);
    const roundTripMs = context.now().getTime() - startedAt;
    if (lists(index, entry.digest)) {
      cleanReads += 1;
      if (!written || cleanReads >= CLEAN_READS) return;
    } else {
      cleanReads = 0;
      const outcome = await writeIndex(client, { index, subject, entry, pruned }, context);
      if (outcome.kind === 'stale') pruned = new Set([...pruned, ...outcome.missing]);
      if (outcome.kind === 'stale') continue;
      written = true;
    }
    await pause(pauseMs(roundTripMs) * (cleanReads + 1), context);
  }
  throw failed(client, subject, `other writers replaced the list ${LIMITS.fallbackTagAttempts} times`);
}

function pauseMs(roundTripMs: number): number {
  const shortestMs = Math.min(Math.max(SHORTEST_PAUSE_MS, 2 * Math.round(roundTripMs)), LONGEST_PAUSE_MS);
  return randomInt(shortestMs, 3 * shortestMs);
}

function lists(index: FallbackIndex, digest: Digest): boolean {
  return index.kind === 'index' && index.referrers.some((referrer) => referrer.digest === digest);
}

interface Change {
  readonly index: FallbackIndex;
  readonly subject: Digest;
  readonly entry: Descriptor;
  /** Entries whose manifests are gone, which the registry does not let a list name. */
  readonly pruned: ReadonlySet<string>;
}

type Outcome =
  /** Written, or overtaken by somebody else (412): look again. */
  { readonly kind: 'look-again' } | { readonly kind: 'stale'; readonly missing: readonly Digest[] };

async function writeIndex(client: RepositoryClient, change: Change, context: Context): Promise<Outcome> {
  const { index, subject, pruned } = change;
  if (index.kind === 'foreign') throw failed(client, subject, index.why);
  const bytes = Buffer.from(JSON.stringify(changedDocument(change)));
  const response = await client.send({
    method: 'PUT',
    path: `manifests/${referrersTag(subject)}`,
    headers: {
      'content-type': MEDIA_TYPES.ociIndex,
      'content-length': String(bytes.length),
      ...condition(index),
    },
    body: () => bytes,
    access: 'push',
    doing: `writing the referrers tag ${nameOf(client)}:${referrersTag(subject)}`,
  });
  if (response.status === 412 || (response.status >= 200 && response.status < 300)) {
    await discardBody(response);
    return { kind: 'look-again' };
  }
  const problems = await readProblems(response, context);
  const missing = isStale(problems) ? await findMissing(client, change) : [];
  const news = missing.filter((digest) => !pruned.has(digest));
  if (news.length === 0) throw refused(client, { response, problems, subject });
  const message = `${nameOf(client)} no longer has ${news.join(', ')}; taken off the list of referrers of ${subject}`;
  context.emit({ kind: 'warning', message });
  return { kind: 'stale', missing: news };
}

function changedDocument({ index, entry, pruned }: Change): unknown {
  const before = index.kind === 'index' ? index.document : { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex };
  const kept = entriesOf(index).filter((item) => !pruned.has(digestIn(item) ?? ''));
  return { ...before, manifests: [...kept, entry] };
}

function condition(index: FallbackIndex): Readonly<Record<string, string>> {
  if (index.kind === 'index') return index.etag === undefined ? {} : { 'if-match': index.etag };
  return { 'if-none-match': '*' };
}

function isStale(problems: readonly RegistryProblem[]): boolean {
  return problems.some(({ code }) => code === 'MANIFEST_BLOB_UNKNOWN' || code === 'MANIFEST_UNKNOWN');
}

/** Which entries the registry really does not have: its error may name one, so each is asked for. */
async function findMissing(client: RepositoryClient, { index, pruned }: Change): Promise<readonly Digest[]> {
  const digests = entriesOf(index)
    .map(digestIn)
    .filter((digest) => digest !== undefined && !pruned.has(digest));
  const missing: Digest[] = [];
  for (const digest of digests as readonly Digest[]) {
    const doing = `looking for the referrer ${nameOf(client)}@${digest}`;
    const response = await client.send({
      method: 'HEAD',
      path: `manifests/${digest}`,
      headers: { accept: ACCEPT_MANIFESTS },
      access: 'pull',
      doing,
    });
    await discardBody(response);
    if (response.status === 404) missing.push(digest);
  }
  return missing;
}

function digestIn(entry: unknown): Digest | undefined {
  if (typeof entry !== 'object' || entry === null || !('digest' in entry)) return undefined;
  return typeof entry.digest === 'string' && isDigest(entry.digest) ? entry.digest : undefined;
}

interface Refusal {
  readonly response: HttpResponse;
  readonly problems: readonly RegistryProblem[];
  readonly subject: Digest;
}

function refused(client: RepositoryClient, { response, problems, subject }: Refusal): BoltsealError {
  const cause = problemError(response.status, problems, { doing: 'writing it', host: client.host });
  return failed(client, subject, cause.message, cause);
}

function failed(client: RepositoryClient, subject: Digest, why: string, cause?: Error): BoltsealError {
  const tag = referrersTag(subject);
  return new BoltsealError(
    'REFERRERS_UPDATE_FAILED',
    `the list of referrers ${nameOf(client)}:${tag} could not be updated: ${why}`,
    {
      hint: `The artifact is stored, but not found from the image. If tags cannot be overwritten, exempt "sha256-*"; then try again.`,
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
