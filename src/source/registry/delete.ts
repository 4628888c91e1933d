import { randomInt } from 'node:crypto';
import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import type { Digest } from '../../oci/digest.ts';
import { MEDIA_TYPES } from '../../oci/media-types.ts';
import { discardBody } from '../http.ts';
import { referrersTag } from '../referrer-entry.ts';
import { entriesOf, readFallbackIndex, type FallbackIndex } from './fallback-index.ts';
import { nameOf } from './manifests.ts';
import type { RepositoryClient } from './repository-client.ts';
import { problemError, readProblems } from './response-error.ts';
import { pause } from './retry.ts';

/** As when adding: the list must be seen without the entry this often in a row, since another writer may bring it back. */
const CLEAN_READS = 3;
const PAUSE_FROM_MS = 30;
const PAUSE_TO_MS = 90;

/**
 * Removes a manifest: distribution-spec 1.1.1, "Deleting Manifests". Always by digest: deleting by tag means another thing
 * to each registry.
 *
 * @throws BoltsealError NOT_FOUND, DELETE_REFUSED and the registry's codes
 */
export async function deleteManifest(client: RepositoryClient, digest: Digest, context: Context): Promise<void> {
  const doing = `deleting the manifest ${nameOf(client)}@${digest}`;
  const response = await client.send({ method: 'DELETE', path: `manifests/${digest}`, access: 'push', doing });
  if (response.status >= 200 && response.status < 300) return discardBody(response);
  if (response.status === 404) throw await client.failure(response, doing);
  const cause = problemError(response.status, await readProblems(response, context), { doing, host: client.host });
  const switchedOff = response.status === 405 || response.status === 501;
  throw new BoltsealError('DELETE_REFUSED', cause.message, {
    hint: switchedOff
      ? `Deleting is switched off at ${client.host}. Ask whoever runs it, or use its own interface.`
      : 'Another manifest may still name it, or a rule of the registry may keep it. Remove that first.',
    cause,
  });
}

/**
 * Takes a referrer off its subject's fallback tag: distribution-spec 1.1.1, "Deleting Manifests" with the referrers tag
 * schema. A tag that holds something else, the subject itself above all, is not touched. False when it was not listed there.
 *
 * @throws BoltsealError REFERRERS_UPDATE_FAILED and the registry's codes
 */
export async function removeFromFallbackIndex(
  client: RepositoryClient,
  { subject, referrer }: { readonly subject: Digest; readonly referrer: Digest },
  context: Context,
): Promise<boolean> {
  let cleanReads = 0;
  let written = false;
  for (let attempt = 0; attempt < LIMITS.fallbackTagAttempts; attempt += 1) {
    const index = await readFallbackIndex(client, subject, context);
    if (index.kind !== 'index' || index.referrers.every(({ digest }) => digest !== referrer)) {
      if (!written) return false;
      cleanReads += 1;
      if (cleanReads >= CLEAN_READS) {
        await removeEmptyList(client, { index, subject });
        return true;
      }
    } else {
      cleanReads = 0;
      written = true;
      await writeWithout(client, { index, subject, referrer }, context);
    }
    await pause(randomInt(PAUSE_FROM_MS, PAUSE_TO_MS) * (cleanReads + 1), context);
  }
  throw failed(client, subject, `other writers replaced the list ${LIMITS.fallbackTagAttempts} times`);
}

interface Removal {
  readonly index: Extract<FallbackIndex, { kind: 'index' }>;
  readonly subject: Digest;
  readonly referrer: Digest;
}

async function writeWithout(
  client: RepositoryClient,
  { index, subject, referrer }: Removal,
  context: Context,
): Promise<void> {
  const manifests = entriesOf(index).filter((entry) => (entry as { digest?: unknown }).digest !== referrer);
  const bytes = Buffer.from(JSON.stringify({ ...index.document, manifests }));
  const response = await client.send({
    method: 'PUT',
    path: `manifests/${referrersTag(subject)}`,
    headers: {
      'content-type': MEDIA_TYPES.ociIndex,
      'content-length': String(bytes.length),
      ...(index.etag === undefined ? {} : { 'if-match': index.etag }),
    },
    body: () => bytes,
    access: 'push',
    doing: `writing the referrers tag ${nameOf(client)}:${referrersTag(subject)}`,
  });
  // 412: somebody else was faster, so it is read and changed again.
  if (response.status === 412 || (response.status >= 200 && response.status < 300)) return discardBody(response);
  const problems = await readProblems(response, context);
  const cause = problemError(response.status, problems, { doing: 'writing it', host: client.host });
  throw failed(client, subject, cause.message, cause);
}

/** An empty list says what no list says; where tags can be deleted, it goes. A refusal changes nothing. */
async function removeEmptyList(
  client: RepositoryClient,
  { index, subject }: { readonly index: FallbackIndex; readonly subject: Digest },
): Promise<void> {
  if (index.kind !== 'index' || entriesOf(index).length > 0) return;
  const tag = referrersTag(subject);
  const doing = `deleting the empty referrers tag ${nameOf(client)}:${tag}`;
  await discardBody(
    await client.send({ method: 'DELETE', path: `manifests/${tag}`, access: 'push', raw: true, doing }),
  );
}

function failed(client: RepositoryClient, subject: Digest, why: string, cause?: Error): BoltsealError {
  const message = `the list of referrers ${nameOf(client)}:${referrersTag(subject)} could not be updated: ${why}`;
  return new BoltsealError('REFERRERS_UPDATE_FAILED', message, {
    hint: 'Nothing was deleted. If tags cannot be overwritten, exempt "sha256-*"; then try again.',
    ...(cause === undefined ? {} : { cause }),
  });
}
