import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';
import { asString, optional, required, ShapeError, type JsonObject } from '../../base/shape.ts';
import { signAwsRequest, type AwsCredentials } from './aws-signature.ts';
import { callKeyService, invalidReference, missingCredentials } from './key-service.ts';
import { remoteKey } from './remote-key.ts';
import { schemeOf } from './scheme.ts';
import type { SigningKey } from './signing-key.ts';

/**
 * Opens a key of AWS KMS (API 2014-11-01): `awskms://[ENDPOINT]/ID`, where ID is a key ID, `alias/NAME` or an ARN.
 * Credentials are from AWS_ACCESS_KEY_ID and its companions, or the container's own; the region is the ARN's or
 * AWS_REGION. An alias is followed once: the key it named then is the one that signs.
 *
 * @throws BoltsealError KEY_INVALID, KEY_SERVICE_FAILED, LIMIT_EXCEEDED, INTERRUPTED
 */
export async function openAwsKey(location: string, context: Context): Promise<SigningKey> {
  const what = `awskms://${location}`;
  const service = openService(location, context);
  const found = await ask(
    { service, action: 'GetPublicKey', what: `the public key of ${what}`, input: { KeyId: service.keyId } },
    context,
    (answer) => ({ keyId: required(answer, 'KeyId', asString), publicKey: readPublicKey(answer) }),
  );
  const { hash } = schemeOf(found.publicKey, what);
  const family = found.publicKey.asymmetricKeyType === 'rsa' ? 'RSASSA_PKCS1_V1_5' : 'ECDSA';
  const algorithm = `${family}_${hash?.toUpperCase().replace('SHA', 'SHA_')}`;
  return remoteKey({
    publicKey: found.publicKey,
    what,
    signDigest(digest, signContext) {
      const input = {
        KeyId: found.keyId,
        Message: digest.toString('base64'),
        MessageType: 'DIGEST',
        SigningAlgorithm: algorithm,
      };
      return ask({ service, action: 'Sign', what: `a signature by ${what}`, input }, signContext, (answer) =>
        Buffer.from(required(answer, 'Signature', asString), 'base64'),
      );
    },
  });
}

interface Service {
  readonly url: string;
  readonly region: string;
  readonly keyId: string;
}

const ID =
  /^(?:(?:mrk-)?[0-9A-Fa-f-]{32,36}|alias\/[\w/-]+|arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:(?:key|alias)\/[\w/-]+)$/;

function openService(location: string, { env }: Context): Service {
  const slash = location.indexOf('/');
  const [endpoint, keyId] = [location.slice(0, Math.max(slash, 0)), location.slice(slash + 1)];
  const matched = ID.exec(keyId);
  if (slash < 0 || matched === null)
    throw invalidReference(`awskms://${location}`, 'awskms:///KEY-ID, awskms:///alias/NAME or awskms:///ARN');
  const region = [matched[1], env['AWS_REGION'], env['AWS_DEFAULT_REGION']].find(
    (name) => name !== undefined && name !== '',
  );
  if (region === undefined)
    throw new BoltsealError('KEY_SERVICE_FAILED', 'it is not known in which AWS region the key is', {
      hint: 'Set AWS_REGION, or name the key by its ARN.',
    });
  const override = env['AWS_ENDPOINT_URL_KMS'] ?? env['AWS_ENDPOINT_URL'];
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const url = endpoint === '' ? (override ?? `https://kms.${region}.${domain}/`) : `https://${endpoint}/`;
  return { url, region, keyId };
}

interface Question {
  readonly service: Service;
  readonly action: 'GetPublicKey' | 'Sign';
  readonly what: string;
  readonly input: object;
}

async function ask<T>(
  { service, action, what, input }: Question,
  context: Context,
  read: (answer: JsonObject) => T,
): Promise<T> {
  const credentials = await findCredentials(context);
  const body = JSON.stringify(input);
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${action}` };
  const url = URL.parse(service.url);
  if (url === null) throw invalidReference(service.url, 'awskms://HOST/ID, with a host that can be reached');
  const signed = signAwsRequest(
    { method: 'POST', url, headers, body },
    { region: service.region, service: 'kms', now: context.now(), credentials },
  );
  const secrets = [credentials.secretAccessKey, credentials.sessionToken ?? ''];
  return callKeyService({ what, url: url.href, headers: signed, body, secrets, read }, context);
}

async function findCredentials(context: Context): Promise<AwsCredentials> {
  const { AWS_ACCESS_KEY_ID: id = '', AWS_SECRET_ACCESS_KEY: secret = '', AWS_SESSION_TOKEN: token = '' } = context.env;
  if (id !== '' && secret !== '')
    return { accessKeyId: id, secretAccessKey: secret, ...(token === '' ? {} : { sessionToken: token }) };
  const { AWS_CONTAINER_CREDENTIALS_FULL_URI: full, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: relative } = context.env;
  const url = full ?? (relative === undefined ? undefined : `http://169.254.170.2${relative}`);
  if (url === undefined)
    throw missingCredentials(
      'AWS',
      'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; for profiles, roles and single sign-on: eval "$(aws configure export-credentials --format env)".',
    );
  const authorization = context.env['AWS_CONTAINER_AUTHORIZATION_TOKEN'] ?? '';
  return callKeyService(
    {
      what: 'credentials for AWS',
      url,
      headers: authorization === '' ? {} : { authorization },
      secrets: [authorization],
      read: readCredentials,
    },
    context,
  );
}

function readCredentials(answer: JsonObject): AwsCredentials {
  const sessionToken = optional(answer, 'Token', asString);
  return {
    accessKeyId: required(answer, 'AccessKeyId', asString),
    secretAccessKey: required(answer, 'SecretAccessKey', asString),
    ...(sessionToken === undefined ? {} : { sessionToken }),
  };
}

function readPublicKey(answer: JsonObject): KeyObject {
  const der = Buffer.from(required(answer, 'PublicKey', asString), 'base64');
  try {
    return createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch {
    throw new ShapeError('PublicKey should be a SubjectPublicKeyInfo');
  }
}
