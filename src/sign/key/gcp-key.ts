import type { Context } from '../../base/context.ts';
import { asArray, asObject, asString, required, ShapeError, type JsonObject } from '../../base/shape.ts';
import { findGcpToken } from './gcp-token.ts';
import { callKeyService, invalidReference } from './key-service.ts';
import { readServiceKey, remoteKey } from './remote-key.ts';
import { schemeOf } from './scheme.ts';
import type { SigningKey } from './signing-key.ts';

const FORM = /^projects\/[\w.:-]+\/locations\/[\w-]+\/keyRings\/[\w-]+\/cryptoKeys\/[\w-]+$/;
const VERSION = /\/(?:cryptoKeyVersions|versions)\/(\d+)$/;

/**
 * Opens a key of Google Cloud KMS (API v1): `gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K`, with
 * `/cryptoKeyVersions/N` for a certain version; without, the newest enabled one, which stays the one that signs.
 *
 * @throws BoltsealError KEY_INVALID, KEY_SERVICE_FAILED, FILE_NOT_FOUND, FILE_UNREADABLE, LIMIT_EXCEEDED, INTERRUPTED
 */
export async function openGcpKey(location: string, context: Context): Promise<SigningKey> {
  const what = `gcpkms://${location}`;
  const key = location.replace(VERSION, '');
  if (!FORM.test(key))
    throw invalidReference(what, 'gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N');
  const access = await openAccess(context);
  const version = VERSION.exec(location)?.[1];
  const name =
    version === undefined ? await newestVersion(key, { what, access }, context) : `${key}/cryptoKeyVersions/${version}`;
  const pem = await callKeyService(
    {
      ...access.credentials,
      what: `the public key of ${what}`,
      url: `${access.url}/v1/${name}/publicKey`,
      read: (answer) => required(answer, 'pem', asString),
    },
    context,
  );
  const publicKey = readServiceKey(pem, what);
  const { hash = '' } = schemeOf(publicKey, what);
  return remoteKey({
    publicKey,
    what,
    signDigest: (digest, signContext) =>
      callKeyService(
        {
          ...access.credentials,
          what: `a signature by ${what}`,
          url: `${access.url}/v1/${name}:asymmetricSign`,
          body: JSON.stringify({ digest: { [hash]: digest.toString('base64') } }),
          read: (answer) => Buffer.from(required(answer, 'signature', asString), 'base64'),
        },
        signContext,
      ),
  });
}

interface Access {
  readonly url: string;
  readonly credentials: { readonly headers: Readonly<Record<string, string>>; readonly secrets: readonly string[] };
}

/** The override is gcloud's own, for emulators and private endpoints. */
async function openAccess(context: Context): Promise<Access> {
  const url = context.env['CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS'] ?? 'https://cloudkms.googleapis.com';
  const token = await findGcpToken(context);
  return {
    url: url.replace(/\/+$/, ''),
    credentials: { headers: { authorization: `Bearer ${token}` }, secrets: [token] },
  };
}

async function newestVersion(
  key: string,
  { what, access }: { readonly what: string; readonly access: Access },
  context: Context,
): Promise<string> {
  const query = new URLSearchParams({ filter: 'state=ENABLED', orderBy: 'name desc', pageSize: '1' });
  const url = `${access.url}/v1/${key}/cryptoKeyVersions?${query.toString()}`;
  return callKeyService(
    { ...access.credentials, what: `the newest version of ${what}`, url, read: (answer) => readVersion(answer, key) },
    context,
  );
}

function readVersion(answer: JsonObject, key: string): string {
  const [first] = required(answer, 'cryptoKeyVersions', asArray).map((entry) => asObject(entry, 'cryptoKeyVersions'));
  const name = required(first ?? {}, 'name', asString, 'cryptoKeyVersions[0]');
  if (!name.startsWith(`${key}/`) || !VERSION.test(name))
    throw new ShapeError('cryptoKeyVersions[0].name should be a version of the key');
  return name;
}
