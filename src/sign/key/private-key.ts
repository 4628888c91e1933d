import { createPrivateKey, type KeyObject } from 'node:crypto';
import { ASN1Obj } from '@sigstore/core';
import type { Context } from '../../base/context.ts';
import { BoltsealError, isBoltsealError } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import { decryptKey, ENCRYPTED_LABELS } from './encrypted-key.ts';
import { findPassword, wrongPassword, type PasswordOptions } from './password.ts';
import { readPem, type PemBlock } from './pem.ts';
import { schemeOf } from './scheme.ts';

interface PrivateKeyOptions extends PasswordOptions {
  /** What the key is called in messages: a path, never its content. */
  readonly what: string;
}

/**
 * Reads a private key to sign with: PEM of PKCS #8 (plain or encrypted), PKCS #1, SEC 1, or cosign's encrypted form.
 *
 * @throws BoltsealError KEY_INVALID for anything else and for kinds of key that do not sign, KEY_PASSWORD
 */
export async function readPrivateKey(
  pem: Uint8Array | string,
  options: PrivateKeyOptions,
  context: Context,
): Promise<KeyObject> {
  const { what } = options;
  if (pem.length > LIMITS.keyFileBytes) throw invalid(what, 'it is too large to be a key');
  const key = await readBlock(findBlock(Buffer.from(pem).toString('latin1'), what), options, context);
  schemeOf(key, what);
  return key;
}

type ReadBlock = (block: PemBlock, options: PrivateKeyOptions, context: Context) => Promise<KeyObject>;

const READERS: Readonly<Record<string, ReadBlock>> = {
  'PRIVATE KEY': readPlain,
  'RSA PRIVATE KEY': readPlain,
  'EC PRIVATE KEY': readPlain,
  'ENCRYPTED PRIVATE KEY': readEncryptedPkcs8,
  ...Object.fromEntries(ENCRYPTED_LABELS.map((label) => [label, readCosignKey])),
};

const OTHER_FORMS: Readonly<Record<string, string>> = {
  'PUBLIC KEY': 'it is a public key, and signing needs the private one',
  CERTIFICATE: 'it is a certificate, and signing needs the private key',
  'OPENSSH PRIVATE KEY': 'it is in OpenSSH form; ssh-keygen -p -m PKCS8 -f FILE rewrites it',
};

/** A file may hold other blocks before the key: openssl writes the curve's parameters there. */
function findBlock(text: string, what: string): PemBlock {
  const blocks = readPem(text);
  const found = blocks.filter(({ label }) => Object.hasOwn(READERS, label));
  if (found.length > 1) throw invalid(what, `it holds ${found.length} private keys, and one is needed`);
  if (found[0] !== undefined) return found[0];
  const other = blocks.map(({ label }) => OTHER_FORMS[label]).find((problem) => problem !== undefined);
  throw invalid(what, other ?? (blocks.length === 0 ? 'it is not PEM' : `it is a PEM file of "${blocks[0]?.label}"`));
}

function readBlock(block: PemBlock, options: PrivateKeyOptions, context: Context): Promise<KeyObject> {
  return (READERS[block.label] ?? readPlain)(block, options, context);
}

async function readPlain(block: PemBlock, options: PrivateKeyOptions, context: Context): Promise<KeyObject> {
  if (!block.hasHeaders) return parse(block, options.what);
  if (!/^DEK-Info:/m.test(block.text)) throw invalid(options.what, 'its PEM headers are of an unknown kind');
  return parse(block, options.what, await findPassword(options.what, options, context));
}

async function readEncryptedPkcs8(block: PemBlock, options: PrivateKeyOptions, context: Context): Promise<KeyObject> {
  checkDerivationCost(block.bytes, options.what);
  return parse(block, options.what, await findPassword(options.what, options, context));
}

async function readCosignKey({ text }: PemBlock, options: PrivateKeyOptions, context: Context): Promise<KeyObject> {
  const pkcs8 = await decryptKey(text, await findPassword(options.what, options, context), options.what);
  try {
    return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  } catch {
    throw invalid(options.what, 'what it encrypts is not a PKCS #8 key');
  }
}

/**
 * The decoder's error is not kept as a cause: nothing about the inside of a private key belongs in a message. With a
 * password, what cannot be decoded was decrypted with a wrong one: one wrong password in 256 looks right until then.
 */
function parse({ text }: PemBlock, what: string, passphrase?: string): KeyObject {
  try {
    return createPrivateKey({ key: text, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) });
  } catch {
    if (passphrase === undefined) throw invalid(what, 'it is damaged, or of a kind that is not known');
    throw wrongPassword(what);
  }
}

/** Whoever wrote the file chose how often the password is hashed (RFC 8018): a hostile one asks for hours of it. */
function checkDerivationCost(der: Buffer, what: string): void {
  try {
    const [algorithm] = ASN1Obj.parseBuffer(Buffer.from(der)).subs;
    if (algorithm === undefined) throw invalid(what, 'it is damaged');
    if (integersIn(algorithm).some((count) => count > LIMITS.keyDerivationRounds))
      throw invalid(what, `opening it would take more than ${LIMITS.keyDerivationRounds} rounds of hashing`);
  } catch (error) {
    throw isBoltsealError(error) ? error : invalid(what, 'it is damaged');
  }
}

function integersIn(object: ASN1Obj): readonly bigint[] {
  return object.tag.isInteger() ? [object.toInteger()] : object.subs.flatMap(integersIn);
}

function invalid(what: string, problem: string): BoltsealError {
  return new BoltsealError('KEY_INVALID', `${what} cannot be used as a private key: ${problem}`, {
    hint: 'Give a PEM file with a private key: PKCS #8, PKCS #1, SEC 1, or what cosign and boltseal generate-key-pair write.',
  });
}
