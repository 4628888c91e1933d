import { readFile } from 'node:fs/promises';
import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';
import { variable, type AmbientProvider } from './provider.ts';
import { requestToken } from './request-token.ts';

/** Where the firmware says whose machine this is. */
const PRODUCT_NAME_FILE = '/sys/class/dmi/id/product_name';
const PRODUCT_NAMES: readonly string[] = ['Google', 'Google Compute Engine'];
const DEFAULT_HOST = 'metadata.google.internal';
const PATH = '/computeMetadata/v1/instance/service-accounts/default/identity';

/**
 * Google Cloud: the metadata server gives tokens of the attached service account to any program on the machine (Compute
 * Engine, "Verify the identity of VMs"; the same on GKE, Cloud Build and Cloud Run). Plain http, since it is answered on the
 * machine or its host; GCE_METADATA_HOST names another, as Google's own libraries have it.
 */
export function googleProvider(productNameFile = PRODUCT_NAME_FILE): AmbientProvider {
  return {
    name: 'google',
    title: 'Google Cloud',
    isPresent: async (context) => detectionOf(context) ?? (await isMachineOfGoogle(productNameFile)),
    fetch: async (audience, context) =>
      requestToken(
        {
          title: 'Google Cloud',
          url: identityUrl(audience, context),
          method: 'GET',
          headers: { 'metadata-flavor': 'Google' },
          requiredHeader: ['metadata-flavor', 'Google'],
          hint:
            'Attach a service account to this machine or workload, and check that its metadata server can be reached ' +
            '(in Kubernetes: workload identity and network policies).',
        },
        context,
      ),
  };
}

/** What the environment says, with METADATA_SERVER_DETECTION as Google's library for Node.js has it. */
function detectionOf(context: Context): boolean | undefined {
  const detection = variable(context, 'METADATA_SERVER_DETECTION');
  if (detection === 'none') return false;
  const names = ['GCE_METADATA_HOST', 'CLOUD_RUN_JOB'];
  return detection === 'assume-present' || names.some((name) => variable(context, name) !== undefined) || undefined;
}

async function isMachineOfGoogle(productNameFile: string): Promise<boolean> {
  return PRODUCT_NAMES.includes((await readFile(productNameFile, 'utf8').catch(() => '')).trim());
}

function identityUrl(audience: string, context: Context): URL {
  const host = variable(context, 'GCE_METADATA_HOST') ?? DEFAULT_HOST;
  const url = URL.parse(`http://${host}${PATH}`);
  if (url === null || url.host !== host.toLowerCase())
    throw new BoltsealError('TOKEN_INVALID', 'GCE_METADATA_HOST is not a host name, with or without a port', {
      hint: 'Unset GCE_METADATA_HOST, or write it as HOST or HOST:PORT.',
    });
  url.search = new URLSearchParams({ audience, format: 'full' }).toString();
  return url;
}
