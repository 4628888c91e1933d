import { copyNamedImage } from '../../src/actions/copy-image.ts';
import { testContext } from './context.ts';

/** Pushes the image tagged `v1` of an OCI layout folder, and returns the name it now has. */
export async function pushLayout(layout: string, name: string): Promise<string> {
  await copyNamedImage(`oci:${layout}:v1`, name, { includeReferrers: false }, testContext());
  return name;
}
