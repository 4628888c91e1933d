import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { discardBody } from '../http.ts';
import { ACCEPT_MANIFESTS, nameOf } from './manifests.ts';
import type { RegistryRequest, RepositoryClient } from './repository-client.ts';

/**
 * Whether the repository has a manifest: distribution-spec 1.1.1, "Checking if content exists in the registry".
 *
 * @throws BoltsealError the registry's codes: only 404 means that it is not there
 */
export function hasManifest(client: RepositoryClient, digest: Digest): Promise<boolean> {
  return isThere(client, {
    path: `manifests/${digest}`,
    headers: { accept: ACCEPT_MANIFESTS },
    doing: `looking for the manifest ${nameOf(client)}@${digest}`,
  });
}

/** @throws BoltsealError the registry's codes */
export function hasBlob(client: RepositoryClient, { digest }: Descriptor): Promise<boolean> {
  return isThere(client, {
    path: `blobs/${digest}`,
    doing: `looking for the blob ${nameOf(client)}@${digest}`,
  });
}

async function isThere(
  client: RepositoryClient,
  request: Pick<RegistryRequest, 'path' | 'headers' | 'doing'>,
): Promise<boolean> {
  // Asked before writing: a repository that is made by the first push does not let itself be read before.
  const response = await client.send({ ...request, method: 'HEAD', access: 'push' });
  if (response.status !== 200 && response.status !== 404) throw await client.failure(response, request.doing);
  await discardBody(response);
  return response.status === 200;
}
