import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { formatReference, type Reference, type RegistryReference } from '../oci/reference.ts';
import { openArchive } from './archive.ts';
import { openEngine } from './engine/open-engine.ts';
import { openLayout } from './layout.ts';
import type { Source } from './source.ts';

/**
 * Opens what needs no registry.
 *
 * @throws BoltsealError USAGE for a folder, which holds no manifests, and what openLayout, openArchive and openEngine throw
 */
export async function openLocal(reference: Exclude<Reference, RegistryReference>, context: Context): Promise<Source> {
  if (reference.kind === 'layout') return openLayout(reference, context);
  if (reference.kind === 'archive') return openArchive(reference, context);
  if (reference.kind === 'daemon') return openEngine(reference, context);
  throw new BoltsealError('USAGE', `${formatReference(reference)} cannot be opened as an image`, {
    hint: 'A plain folder has no manifest or layers: only boltseal sbom reads it. Build an image from it, and name that.',
  });
}
