import { createPublicKey, generateKeyPair as generate, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { Context } from '../../base/context.ts';
import { encryptKey } from './encrypted-key.ts';
import type { PasswordOptions } from './password.ts';
import { readPrivateKey } from './private-key.ts';
import { KEY_ALGORITHMS, schemeOf, type KeyAlgorithm } from './scheme.ts';

/** A key pair as two files, which cosign reads too and calls cosign.key and cosign.pub. */
export interface KeyPairFiles {
  readonly algorithm: KeyAlgorithm;
  /** PEM, encrypted with the password; to be written readable by its owner only. */
  readonly privateKeyPem: string;
  /** PEM of the SubjectPublicKeyInfo. */
  readonly publicKeyPem: string;
}

const generateAsync = promisify(generate) as (
  type: string,
  options: object,
) => Promise<{ readonly privateKey: KeyObject }>;

/** Makes a key pair. The password may be empty, which encrypts in name only. */
export async function generateKeyPair(algorithm: KeyAlgorithm, password: string): Promise<KeyPairFiles> {
  const row = KEY_ALGORITHMS[algorithm];
  const options = {
    ...('curve' in row ? { namedCurve: row.curve } : {}),
    ...('modulusBits' in row ? { modulusLength: row.modulusBits } : {}),
  };
  const { privateKey } = await generateAsync(row.kind, options);
  return toFiles(privateKey, password);
}

interface ImportOptions extends PasswordOptions {
  /** What the key is called in messages. */
  readonly what: string;
  /** Encrypts the new file; the old one is opened with what the environment holds or `askPassword` says. */
  readonly newPassword: string;
}

/**
 * Takes over a private key from elsewhere, in any form `readPrivateKey` knows.
 *
 * @throws BoltsealError KEY_INVALID, KEY_PASSWORD
 */
export async function importKey(
  pem: Uint8Array | string,
  options: ImportOptions,
  context: Context,
): Promise<KeyPairFiles> {
  return toFiles(await readPrivateKey(pem, options, context), options.newPassword);
}

async function toFiles(privateKey: KeyObject, password: string): Promise<KeyPairFiles> {
  const publicKey = createPublicKey(privateKey);
  return {
    algorithm: schemeOf(publicKey, 'the key').algorithm,
    privateKeyPem: await encryptKey(privateKey.export({ format: 'der', type: 'pkcs8' }), password),
    publicKeyPem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
  };
}
