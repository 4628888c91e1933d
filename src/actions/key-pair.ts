import type { Context } from '../base/context.ts';
import { LIMITS } from '../base/limits.ts';
import { generateKeyPair, importKey, type KeyPairFiles } from '../sign/key/key-pair.ts';
import { openKey } from '../sign/key/open-key.ts';
import type { PasswordOptions } from '../sign/key/password.ts';
import { publicKeyFingerprint } from '../sign/key/public-key.ts';
import type { KeyAlgorithm } from '../sign/key/scheme.ts';
import { createPublicKey } from 'node:crypto';
import type { Digest } from '../oci/digest.ts';
import { readLocalFile } from './read-file.ts';
import { writeLocalFile } from './write-file.ts';

/** A key pair that is in two files now. */
export interface WrittenKeyPair {
  readonly algorithm: KeyAlgorithm;
  /** SHA-256 of the DER SubjectPublicKeyInfo. */
  readonly fingerprint: Digest;
  readonly privateKeyFile: string;
  readonly publicKeyFile: string;
}

interface Output {
  /** `release` for release.key and release.pub. */
  readonly prefix: string;
  readonly password: string;
}

/**
 * Makes a key pair and writes it as cosign does. A private key that is there already is never replaced.
 *
 * @throws BoltsealError FILE_UNWRITABLE
 */
export async function makeKeyPair(algorithm: KeyAlgorithm, { prefix, password }: Output): Promise<WrittenKeyPair> {
  return write(await generateKeyPair(algorithm, password), prefix);
}

/**
 * Takes over a private key from a PEM file and writes it as cosign does.
 *
 * @throws BoltsealError KEY_INVALID, KEY_PASSWORD, FILE_NOT_FOUND, FILE_UNREADABLE, FILE_UNWRITABLE
 */
export async function importKeyPair(
  file: string,
  { prefix, password, ...ask }: Output & PasswordOptions,
  context: Context,
): Promise<WrittenKeyPair> {
  const pem = await readLocalFile(file, 'the key', LIMITS.keyFileBytes);
  return write(await importKey(pem, { ...ask, what: file, newPassword: password }, context), prefix);
}

/**
 * The public key of whatever a reference names, as PEM.
 *
 * @throws BoltsealError the codes of openKey
 */
export async function publicKeyOf(reference: string, options: PasswordOptions, context: Context): Promise<string> {
  const { publicKey } = await openKey(reference, options, context);
  return publicKey.export({ format: 'pem', type: 'spki' }).toString();
}

async function write(
  { algorithm, privateKeyPem, publicKeyPem }: KeyPairFiles,
  prefix: string,
): Promise<WrittenKeyPair> {
  const [privateKeyFile, publicKeyFile] = [`${prefix}.key`, `${prefix}.pub`];
  await writeLocalFile(privateKeyFile, privateKeyPem, { isSecret: true });
  await writeLocalFile(publicKeyFile, publicKeyPem);
  return { algorithm, fingerprint: publicKeyFingerprint(createPublicKey(publicKeyPem)), privateKeyFile, publicKeyFile };
}
