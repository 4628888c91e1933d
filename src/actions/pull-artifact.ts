import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { pullArtifact, type PulledArtifact } from '../referrers/pull.ts';
import { findSubject, openReferrers, type ImageOptions } from './open-image.ts';

export interface PullArtifactOptions extends ImageOptions {
  readonly folder: string;
  /** The artifact of this type that refers to the image; absent: what is named is the artifact itself. */
  readonly artifactType?: string;
  /** Of several of the type, the youngest. */
  readonly latest?: boolean;
  readonly unpack?: boolean;
}

/** Brings an artifact's files back into a folder. @throws BoltsealError PATH_UNSAFE and the codes of references and registries */
export async function pullNamedArtifact(
  reference: string,
  options: PullArtifactOptions,
  context: Context,
): Promise<PulledArtifact> {
  const { folder, artifactType, latest = false, unpack = true, platform } = options;
  if (artifactType === undefined && (platform !== undefined || latest)) {
    throw new BoltsealError('USAGE', '--platform and --latest choose among what refers to an image', {
      hint: 'Say which type with --artifact-type, or name the artifact itself by its digest.',
    });
  }
  await using source = await openReferrers(reference, options, context);
  if (artifactType === undefined) {
    const wanted = { kind: 'digest', digest: await source.resolve() } as const;
    return await pullArtifact(source, wanted, { folder, unpack }, context);
  }
  const subject = await findSubject(source, platform);
  const wanted = { kind: 'referrer', subject: subject.digest, artifactType, latest } as const;
  return await pullArtifact(source, wanted, { folder, unpack }, context);
}
