import { readFile, stat } from 'node:fs/promises';
import type { Context } from '../../base/context.ts';
import { BoltsealError, systemCodeOf } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import type { PasswordOptions } from './password.ts';
import { openPluginKey } from './plugin-key.ts';
import { readPrivateKey } from './private-key.ts';
import { localKey, type SigningKey } from './signing-key.ts';

type OpenKey = (location: string, options: PasswordOptions, context: Context) => Promise<SigningKey>;

/** Scheme of a reference → who holds such keys. Any other is a plugin's: `NAME://…` is for `sigstore-kms-NAME`. */
const HOLDERS: Readonly<Record<string, OpenKey>> = {
  env: openFromEnvironment,
  awskms: async (location, _options, context) => (await import('./aws-key.ts')).openAwsKey(location, context),
  azurekms: async (location, _options, context) => (await import('./azure-key.ts')).openAzureKey(location, context),
  gcpkms: async (location, _options, context) => (await import('./gcp-key.ts')).openGcpKey(location, context),
  hashivault: async (location, _options, context) => (await import('./vault-key.ts')).openVaultKey(location, context),
  openbao: async (location, _options, context) => (await import('./vault-key.ts')).openVaultKey(location, context),
};

/**
 * Opens the key that a reference names, as cosign's `--key` has them: the path of a file, `env://VARIABLE`, a key
 * service (`awskms://`, `azurekms://`, `gcpkms://`, `hashivault://`), or `NAME://…` for the plugin `sigstore-kms-NAME`.
 *
 * @throws BoltsealError KEY_INVALID, KEY_PASSWORD, KEY_SERVICE_FAILED, FILE_NOT_FOUND, FILE_UNREADABLE, INTERRUPTED
 */
export async function openKey(reference: string, options: PasswordOptions, context: Context): Promise<SigningKey> {
  const [, scheme, location = ''] = /^([a-z][a-z0-9+-]*):\/\/(.*)$/s.exec(reference) ?? [];
  if (scheme === undefined) return openFile(reference, options, context);
  const open = Object.hasOwn(HOLDERS, scheme) ? HOLDERS[scheme] : undefined;
  if (open !== undefined) return open(location, options, context);
  return openPluginKey({ plugin: scheme, location }, context);
}

async function openFile(path: string, options: PasswordOptions, context: Context): Promise<SigningKey> {
  const pem = await readKeyFile(path);
  return localKey(await readPrivateKey(pem, { ...options, what: path }, context), path);
}

/** @throws BoltsealError FILE_NOT_FOUND, FILE_UNREADABLE, KEY_INVALID */
async function readKeyFile(path: string): Promise<Buffer> {
  try {
    const found = await stat(path);
    if (found.isFile() && found.size > LIMITS.keyFileBytes) throw tooLarge(path);
    return await readFile(path);
  } catch (cause) {
    const code = systemCodeOf(cause);
    if (code === undefined) throw cause;
    const absent = code === 'ENOENT';
    throw new BoltsealError(
      absent ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE',
      `the key file ${path} ${absent ? 'does not exist' : 'cannot be read'}`,
      { hint: 'Check the path and its permissions; boltseal generate-key-pair makes a key.', cause },
    );
  }
}

async function openFromEnvironment(name: string, options: PasswordOptions, context: Context): Promise<SigningKey> {
  const what = `the key in the variable ${name}`;
  const pem = context.env[name];
  if (pem === undefined || pem === '')
    throw new BoltsealError(
      'KEY_INVALID',
      `the variable ${name} is not set, and env://${name} asks for the key in it`,
      {
        hint: 'Put the content of the key file, not its path, into the variable.',
      },
    );
  return localKey(await readPrivateKey(pem, { ...options, what }, context), what);
}

function tooLarge(path: string): BoltsealError {
  return new BoltsealError('KEY_INVALID', `${path} is too large to be a key`, {
    hint: 'Check which file was given as the key.',
  });
}
