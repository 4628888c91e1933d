import { isBoltsealError } from '../../base/errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { RegistryReference } from '../../oci/reference.ts';
import { discardBody } from '../http.ts';
import type { HttpResponse } from '../http-message.ts';
import { resolveLocation } from '../redirect.ts';
import { accountOf } from './credential.ts';
import { nameOf } from './manifests.ts';
import type { RepositoryClient } from './repository-client.ts';
import type { RegistrySession } from './session.ts';

/**
 * Takes a blob over from another repository of the same registry: distribution-spec 1.1.1, "Mounting a blob from another
 * repository". False when it has to be uploaded. A mount only saves time, so whatever refuses it, the upload that follows
 * says what is really wrong.
 *
 * @throws BoltsealError REGISTRY_UNREACHABLE, INTERRUPTED
 */
export async function mountBlob(
  client: RepositoryClient,
  { digest }: Descriptor,
  from: RegistryReference,
): Promise<boolean> {
  const query = new URLSearchParams({ mount: digest, from: from.repository });
  try {
    const response = await client.send({
      method: 'POST',
      path: `blobs/uploads/?${query.toString()}`,
      headers: { 'content-length': '0' },
      access: 'push',
      doing: `mounting ${digest} from ${from.repository} into ${nameOf(client)}`,
    });
    await discardBody(response);
    if (response.status === 202) await cancelUpload(client, response);
    return response.status === 201;
  } catch (error) {
    if (isBoltsealError(error, 'REGISTRY_UNAUTHORIZED', 'REGISTRY_DENIED', 'REGISTRY_ERROR', 'CREDENTIALS_INVALID'))
      return false;
    throw error;
  }
}

/** Whether a mount can be asked for: one registry, and the same account for both repositories. */
export async function mayMount(
  client: RepositoryClient,
  from: RegistryReference,
  { session, hasOwnCredential }: { readonly session: RegistrySession; readonly hasOwnCredential: boolean },
): Promise<boolean> {
  if (from.host !== client.host) return false;
  if (from.repository === client.repository) return false;
  if (hasOwnCredential) return true;
  const here = await session.credential(client.host, client.repository);
  const there = await session.credential(from.host, from.repository);
  return accountOf(here) === accountOf(there);
}

/** A 202 has begun an upload that nobody goes on with. Not every registry can cancel; then it forgets by itself. */
async function cancelUpload(client: RepositoryClient, started: HttpResponse): Promise<void> {
  const location = started.headers['location'];
  if (location === undefined) return;
  const target = resolveLocation(location, started.url);
  if (target.origin !== started.url.origin) return;
  const response = await client.send({
    method: 'DELETE',
    path: target,
    access: 'push',
    raw: true,
    doing: `cancelling an upload to ${nameOf(client)}`,
  });
  await discardBody(response);
}
