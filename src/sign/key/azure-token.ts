import { readFile } from 'node:fs/promises';
import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import { asString, required, type JsonObject } from '../../base/shape.ts';
import { callKeyService } from './key-service.ts';

const HINT =
  'Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_FEDERATED_TOKEN_FILE, or run where there is a managed identity.';

/**
 * An access token for a key vault: of an application with a secret or a federated token (the AZURE_ variables of the Azure
 * SDKs), or of the managed identity of the machine.
 *
 * @throws BoltsealError KEY_SERVICE_FAILED, FILE_UNREADABLE, LIMIT_EXCEEDED, INTERRUPTED
 */
export async function findAzureToken(vault: URL, context: Context): Promise<string> {
  const resource = resourceOf(vault);
  const { AZURE_TENANT_ID: tenant = '', AZURE_CLIENT_ID: client = '' } = context.env;
  const proof = await findProof(context);
  if (tenant === '' || client === '' || proof === undefined) return askMetadata(resource, client, context);
  const authority = (context.env['AZURE_AUTHORITY_HOST'] ?? 'https://login.microsoftonline.com').replace(/\/+$/, '');
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: client,
    scope: `${resource}/.default`,
    ...proof,
  }).toString();
  return callKeyService(
    {
      what: 'an access token',
      url: `${authority}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body,
      secrets: Object.values(proof),
      read: readToken,
    },
    context,
  );
}

/** The audience of a vault is its cloud's domain: contoso.vault.azure.net → https://vault.azure.net. */
function resourceOf({ hostname }: URL): string {
  const known = ['vault.azure.net', 'vault.azure.cn', 'vault.usgovcloudapi.net', 'managedhsm.azure.net'];
  return `https://${known.find((domain) => hostname.endsWith(`.${domain}`)) ?? 'vault.azure.net'}`;
}

async function findProof({ env }: Context): Promise<Readonly<Record<string, string>> | undefined> {
  const { AZURE_CLIENT_SECRET: secret = '', AZURE_FEDERATED_TOKEN_FILE: path = '' } = env;
  if (secret !== '') return { client_secret: secret };
  if (path === '') return undefined;
  try {
    return {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: (await readFile(path, 'utf8')).trim(),
    };
  } catch (cause) {
    throw new BoltsealError('FILE_UNREADABLE', `the federated token file ${path} cannot be read`, {
      hint: 'Check AZURE_FEDERATED_TOKEN_FILE, and the permissions of the file.',
      cause,
    });
  }
}

async function askMetadata(resource: string, client: string, context: Context): Promise<string> {
  const query = new URLSearchParams({
    'api-version': '2018-02-01',
    resource,
    ...(client === '' ? {} : { client_id: client }),
  });
  const host = context.env['AZURE_POD_IDENTITY_AUTHORITY_HOST'] ?? 'http://169.254.169.254';
  const url = `${host.replace(/\/+$/, '')}/metadata/identity/oauth2/token?${query.toString()}`;
  const headers = { metadata: 'true' };
  try {
    return await callKeyService(
      { what: 'an access token', url, headers, secrets: [], timeoutMs: LIMITS.metadataTimeoutMs, read: readToken },
      context,
    );
  } catch (cause) {
    if (context.signal.aborted) throw cause;
    throw new BoltsealError('KEY_SERVICE_FAILED', 'there are no credentials for Azure', { hint: HINT, cause });
  }
}

function readToken(answer: JsonObject): string {
  return required(answer, 'access_token', asString);
}
