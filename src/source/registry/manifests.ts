import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import { algorithmOf, digestOf, isDigest, verifyBytes, type Digest } from '../../oci/digest.ts';
import { parseManifest } from '../../oci/manifest.ts';
import { MANIFEST_TYPES } from '../../oci/media-types.ts';
import { discardBody, readBody } from '../http.ts';
import type { HttpResponse } from '../http-message.ts';
import type { StoredManifest } from '../source.ts';
import type { RepositoryClient } from './repository-client.ts';
import { problemError, readProblems, type RegistryProblem } from './response-error.ts';

/** Named one by one: distribution 2.8 answers 404 for an OCI manifest when only a wildcard is accepted. */
export const ACCEPT_MANIFESTS = MANIFEST_TYPES.join(', ');

/**
 * The digest a tag stands for now: distribution-spec 1.1.1, "Checking if content exists in the registry".
 *
 * @throws BoltsealError NOT_FOUND and the registry's codes
 */
export async function resolveTag(client: RepositoryClient, tag: string, context: Context): Promise<Digest> {
  const doing = `looking up ${nameOf(client)}:${tag}`;
  const head = await client.send({
    method: 'HEAD',
    path: `manifests/${tag}`,
    headers: { accept: ACCEPT_MANIFESTS },
    access: 'pull',
    doing,
  });
  await discardBody(head);
  const digest = head.headers['docker-content-digest'] ?? '';
  if (head.status === 200 && isDigest(digest)) return digest;
  // No digest, no HEAD, or not there: the bytes tell, and so does the body of an error.
  return digestOf((await getManifest(client, tag, context)).bytes);
}

/** @throws BoltsealError NOT_FOUND, DIGEST_MISMATCH, MANIFEST_INVALID and the registry's codes */
export async function readManifest(
  client: RepositoryClient,
  digest: Digest,
  context: Context,
): Promise<StoredManifest> {
  const { bytes, contentType } = await getManifest(client, digest, context);
  const what = `the manifest ${nameOf(client)}@${digest}`;
  verifyBytes(bytes, { digest }, what);
  return { digest, bytes, manifest: parseManifest(bytes, contentType, what) };
}

interface Received {
  readonly bytes: Uint8Array;
  readonly contentType: string | undefined;
}

async function getManifest(client: RepositoryClient, reference: string, context: Context): Promise<Received> {
  const name = `${nameOf(client)}${isDigest(reference) ? '@' : ':'}${reference}`;
  const response = await client.send({
    method: 'GET',
    path: `manifests/${reference}`,
    headers: { accept: ACCEPT_MANIFESTS },
    access: 'pull',
    doing: `reading the manifest ${name}`,
  });
  if (response.status === 404) throw await notFound(client, response, { name, context });
  if (response.status !== 200) throw await client.failure(response, `reading the manifest ${name}`);
  return {
    bytes: await readBody(response, LIMITS.manifestBytes, context),
    contentType: response.headers['content-type'],
  };
}

async function notFound(
  client: RepositoryClient,
  response: HttpResponse,
  { name, context }: { readonly name: string; readonly context: Context },
): Promise<BoltsealError> {
  const problems = await readProblems(response, context);
  const { hint } = problemError(404, problems, { doing: '', host: client.host });
  const message = isUnknownRepository(problems)
    ? `there is no repository ${nameOf(client)}`
    : `there is no manifest ${name}`;
  return new BoltsealError('NOT_FOUND', message, { hint });
}

export function isUnknownRepository(problems: readonly RegistryProblem[]): boolean {
  return problems.some(({ code }) => code === 'NAME_UNKNOWN');
}

/**
 * Stores a manifest's exact bytes: distribution-spec 1.1.1, "Pushing Manifests". Returns the subject that the registry says
 * it has put the manifest on the list of (OCI-Subject), if it says so.
 *
 * @throws BoltsealError REGISTRY_ERROR, DIGEST_MISMATCH and the registry's codes
 */
export async function putManifest(
  client: RepositoryClient,
  {
    bytes,
    mediaType,
    reference,
  }: { readonly bytes: Uint8Array; readonly mediaType: string; readonly reference: string },
): Promise<string | undefined> {
  const doing = `writing the manifest ${nameOf(client)} ${reference}`;
  const response = await client.send({
    method: 'PUT',
    path: `manifests/${reference}`,
    headers: { 'content-type': mediaType, 'content-length': String(bytes.length) },
    body: () => bytes,
    access: 'push',
    doing,
  });
  if (response.status !== 201 && response.status !== 200) throw await client.failure(response, doing);
  await discardBody(response);
  checkStored(response.headers['docker-content-digest'] ?? '', bytes, nameOf(client));
  return response.headers['oci-subject'];
}

/** A digest of another algorithm than the one asked with is not a mismatch: some registries always answer with sha256. */
function checkStored(header: string, bytes: Uint8Array, name: string): void {
  if (!isDigest(header) || header === digestOf(bytes, algorithmOf(header))) return;
  throw new BoltsealError('DIGEST_MISMATCH', `${name} stored something else than the manifest it was sent`, {
    hint: 'A proxy before the registry may rewrite manifests. Push to the registry directly.',
  });
}

export function nameOf({ host, repository }: RepositoryClient): string {
  return `${host}/${repository}`;
}
