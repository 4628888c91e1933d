import { randomBytes, scrypt } from 'node:crypto';
import { BoltsealError, isBoltsealError, messageOf } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { asCount, asObject, asString, required } from '../../base/shape.ts';
import { wrongPassword } from './password.ts';
import { readPem, writePem } from './pem.ts';
import { BOX_KEY_BYTES, BOX_NONCE_BYTES, openBox, sealBox } from './secret-box.ts';

/** The PEM labels of cosign's encrypted keys: it writes the first, and wrote the second until 2.0. */
export const ENCRYPTED_LABELS: readonly string[] = ['ENCRYPTED SIGSTORE PRIVATE KEY', 'ENCRYPTED COSIGN PRIVATE KEY'];

/**
 * Encrypts a PKCS #8 key as cosign does: a PEM block around JSON that names scrypt's parameters, the nonce and the box
 * (go-securesystemslib 0.11, encrypted).
 */
export async function encryptKey(pkcs8: Uint8Array, password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const nonce = randomBytes(BOX_NONCE_BYTES);
  const key = await deriveKey(password, { salt, costN: STANDARD_COST });
  const ciphertext = await sealBox(pkcs8, { key, nonce });
  const document = {
    kdf: { name: 'scrypt', params: { N: STANDARD_COST, r: SCRYPT_R, p: SCRYPT_P }, salt: salt.toString('base64') },
    cipher: { name: 'nacl/secretbox', nonce: nonce.toString('base64') },
    ciphertext: ciphertext.toString('base64'),
  };
  return writePem(ENCRYPTED_LABELS[0] ?? '', Buffer.from(JSON.stringify(document)));
}

/**
 * The PKCS #8 key in an encrypted one. Whoever wrote the file chose what opening it costs, so only the three costs that
 * the format's own library knows are paid: 32, 64 or 128 MiB of memory for a moment.
 *
 * @throws BoltsealError KEY_INVALID, KEY_PASSWORD
 */
export async function decryptKey(pem: string, password: string, what: string): Promise<Buffer> {
  const { ciphertext, nonce, ...cost } = readDocument(pem, what);
  const opened = await openBox(ciphertext, { key: await deriveKey(password, cost), nonce });
  if (opened === undefined) throw wrongPassword(what);
  return opened;
}

const SALT_BYTES = 32;
const STANDARD_COST = 65_536;
const KNOWN_COSTS: readonly number[] = [32_768, STANDARD_COST, 131_072];
const SCRYPT_R = 8;
const SCRYPT_P = 1;
const SCRYPT_MAX_BYTES = 256 * 1024 * 1024;

interface KeyDerivation {
  readonly salt: Buffer;
  readonly costN: number;
}

interface EncryptedDocument extends KeyDerivation {
  readonly nonce: Buffer;
  readonly ciphertext: Buffer;
}

function readDocument(pem: string, what: string): EncryptedDocument {
  try {
    const block = readPem(pem).find(({ label }) => ENCRYPTED_LABELS.includes(label));
    const value = parseJson(block?.bytes ?? '', { what, maxBytes: LIMITS.keyFileBytes });
    const object = asObject(value, 'the key');
    const kdf = required(object, 'kdf', asObject);
    const cipher = required(object, 'cipher', asObject);
    const params = required(kdf, 'params', asObject, 'kdf');
    const [costN, r, p] = ['N', 'r', 'p'].map((name) => required(params, name, asCount, 'kdf.params'));
    if (required(kdf, 'name', asString, 'kdf') !== 'scrypt') throw new Error('it is not protected with scrypt');
    if (costN === undefined || !KNOWN_COSTS.includes(costN) || r !== SCRYPT_R || p !== SCRYPT_P)
      throw new Error(`scrypt with N=${costN}, r=${r}, p=${p} is not one of the costs this format has`);
    if (required(cipher, 'name', asString, 'cipher') !== 'nacl/secretbox')
      throw new Error('its cipher is not nacl/secretbox');
    const nonce = decode(required(cipher, 'nonce', asString, 'cipher'));
    if (nonce.length !== BOX_NONCE_BYTES) throw new Error(`its nonce is ${nonce.length} bytes`);
    const salt = decode(required(kdf, 'salt', asString, 'kdf'));
    return { costN, salt, nonce, ciphertext: decode(required(object, 'ciphertext', asString)) };
  } catch (cause) {
    const detail = isBoltsealError(cause, 'JSON_INVALID') ? 'its content is not JSON' : messageOf(cause);
    throw new BoltsealError('KEY_INVALID', `${what} is no encrypted key that can be opened: ${detail}`, {
      hint: 'Get an undamaged copy of the file, or import the key again from its original.',
      cause,
    });
  }
}

function deriveKey(password: string, { salt, costN }: KeyDerivation): Promise<Buffer> {
  const options = { N: costN, r: SCRYPT_R, p: SCRYPT_P, maxmem: SCRYPT_MAX_BYTES };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, BOX_KEY_BYTES, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

function decode(base64: string): Buffer {
  return Buffer.from(base64, 'base64');
}
