import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { parseRegistryReference } from '../oci/reference.ts';
import { probeRepository, type ProbeOptions } from '../source/registry/probe.ts';
import type { ProbeReport } from '../source/registry/probe-report.ts';

export type { ProbeOptions } from '../source/registry/probe.ts';
export { FEATURES, type ProbeReport } from '../source/registry/probe-report.ts';

/**
 * Tells what a registry supports, by trying it in the repository `HOST/REPO`. Nothing stays behind unless that is allowed;
 * what cannot be removed is said, and not pushed in the first place.
 *
 * @throws BoltsealError REFERENCE_INVALID, USAGE for a name with a tag or digest, and the registry's codes
 */
export async function probeRegistry(name: string, options: ProbeOptions, context: Context): Promise<ProbeReport> {
  const reference = parseRegistryReference(name);
  const hasVersion = reference.digest !== undefined || /:[^/]*$/.test(name.replace(/^[^/]*\//, ''));
  if (!hasVersion) return probeRepository(reference, options, context);
  throw new BoltsealError('USAGE', `"${name}" names an image, and a probe takes a repository`, {
    hint: 'Write HOST/REPOSITORY, without a tag or digest.',
  });
}
