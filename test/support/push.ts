import { pushReference } from '../../src/actions/push-image.ts';
import { testContext } from './context.ts';

/** Pushes the image tagged `v1` of an OCI layout folder, and returns the name it now has. */
export async function pushLayout(layout: string, name: string): Promise<string> {
  await pushReference(`oci:${layout}:v1`, name, testContext());
  return name;
}
