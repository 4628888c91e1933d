import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { formatReference, type Reference, type RegistryReference } from '../oci/reference.ts';
import { openArchive } from './archive.ts';
import { openLayout } from './layout.ts';
import type { Source } from './source.ts';

/**
 * Opens what needs no registry.
 *
 * @throws BoltsealError USAGE for an engine or a folder, which hold no manifests, and what openLayout and openArchive throw
 */
export async function openLocal(reference: Exclude<Reference, RegistryReference>, context: Context): Promise<Source> {
  if (reference.kind === 'layout') return openLayout(reference, context);
  if (reference.kind === 'archive') return openArchive(reference, context);
  const isEngine = reference.kind === 'daemon';
  throw new BoltsealError('USAGE', `${formatReference(reference)} cannot be opened as an image`, {
    hint: isEngine
      ? `Save it first: ${reference.engine} save -o image.tar ${reference.name}, then name docker-archive:image.tar.`
      : 'A plain folder has no manifest or layers. Build an image from it, and name that.',
  });
}
