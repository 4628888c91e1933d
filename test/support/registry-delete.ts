import { isDigest } from '../../src/oci/digest.ts';
import { problem, type Answer } from './http-server.ts';
import type { RecordedRequest, TestRegistry } from './registry-server.ts';

/** How deletion of manifests is answered: done, only by digest (as distribution 2.8 does), or switched off. */
export type DeleteBehaviour = 'any' | 'by-digest' | 'off';

/** Lets a test registry delete manifests, which it does not do by itself. */
export function allowDeletes(registry: TestRegistry, deletes: DeleteBehaviour): void {
  const before = registry.behaviour.fault;
  registry.behaviour.fault = async (request) => (await before(request)) ?? answer(registry, request, deletes);
}

function answer(
  registry: TestRegistry,
  { method, path }: RecordedRequest,
  deletes: DeleteBehaviour,
): Answer | undefined {
  const [, reference = ''] = /\/manifests\/(.+)$/.exec(path) ?? [];
  if (method !== 'DELETE') return undefined;
  if (deletes === 'off') return problem(405, 'UNSUPPORTED');
  if (!isDigest(reference)) {
    if (deletes === 'by-digest') return problem(400, 'DIGEST_INVALID');
    return { status: registry.tags.delete(reference) ? 202 : 404 };
  }
  if (!registry.manifests.delete(reference)) return problem(404, 'MANIFEST_UNKNOWN');
  for (const [tag, digest] of registry.tags) if (digest === reference) registry.tags.delete(tag);
  return { status: 202 };
}
