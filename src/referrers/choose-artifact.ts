import { BoltsealError } from '../base/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageManifest } from '../oci/manifest.ts';
import type { ManifestReader, ReferrerLister } from '../source/source.ts';
import { CREATED_ANNOTATION } from './artifact.ts';
import { discoverReferrers } from './discover.ts';

/** Which artifact is meant: one by its digest, or the one of a type that refers to a subject. */
export type WantedArtifact =
  | { readonly kind: 'digest'; readonly digest: Digest }
  | {
      readonly kind: 'referrer';
      readonly subject: Digest;
      readonly artifactType: string;
      /** Of several, the one that says it is the youngest. */
      readonly latest?: boolean;
    };

export interface ChosenArtifact {
  readonly digest: Digest;
  readonly manifest: ImageManifest;
}

/**
 * The manifest of the artifact that is meant. One that refers to another subject than it is listed for is never it.
 *
 * @throws BoltsealError NOT_FOUND, USAGE (several), MANIFEST_INVALID, and the source's codes
 */
export async function chooseArtifact(
  source: ManifestReader & ReferrerLister,
  wanted: WantedArtifact,
): Promise<ChosenArtifact> {
  const digest = wanted.kind === 'digest' ? wanted.digest : (await chooseReferrer(source, wanted)).digest;
  const { manifest } = await source.readManifest(digest);
  if (manifest.kind === 'image') return { digest, manifest };
  throw new BoltsealError('MANIFEST_INVALID', `${digest} is an index and holds no files itself`, {
    hint: 'Name one of the manifests in it.',
  });
}

async function chooseReferrer(
  source: ManifestReader & ReferrerLister,
  { subject, artifactType, latest = false }: Extract<WantedArtifact, { kind: 'referrer' }>,
): Promise<Descriptor> {
  const { referrers } = await discoverReferrers(source, subject, { depth: 1, artifactType });
  const found = referrers.flatMap(({ descriptor, rejected }) =>
    descriptor === undefined || rejected !== undefined ? [] : [descriptor],
  );
  const byAge = found.toSorted((a, b) => (createdOf(a) < createdOf(b) ? 1 : -1));
  const [first, ...others] = byAge;
  if (first === undefined) {
    throw new BoltsealError('NOT_FOUND', `no artifact of type ${artifactType} refers to ${subject}`, {
      hint: 'Show what there is with "boltseal discover".',
    });
  }
  if (others.length === 0 || latest) return first;
  const shown = byAge.slice(0, MAX_SHOWN).map((entry) => `${entry.digest} (${createdOf(entry) || 'no date'})`);
  throw new BoltsealError(
    'USAGE',
    `${found.length} artifacts of type ${artifactType} refer to it: ${shown.join(', ')}`,
    {
      hint: 'Name one by its digest, or take the youngest with --latest.',
    },
  );
}

function createdOf({ annotations }: Descriptor): string {
  return annotations?.[CREATED_ANNOTATION] ?? '';
}

const MAX_SHOWN = 10;
