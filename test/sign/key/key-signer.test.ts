import { createHash, createPublicKey, generateKeyPairSync, verify, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { preAuthEncoding } from '../../../src/intoto/dsse.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { startSandbox, type Sandbox } from '../../../src/sandbox/sandbox.ts';
import { chooseWitnesses } from '../../../src/sign/choose-services.ts';
import { keySigner } from '../../../src/sign/key/key-signer.ts';
import { readPrivateKey } from '../../../src/sign/key/private-key.ts';
import { localKey, type SigningKey } from '../../../src/sign/key/signing-key.ts';
import { parseSigningConfig, type WitnessServices } from '../../../src/sign/signing-config.ts';
import { signatureStatement } from '../../../src/sign/statements.ts';
import { verifiedWithKey } from '../../support/bundles.ts';
import { testContext } from '../../support/context.ts';
import { keyFile } from '../../support/keys.ts';

const context = testContext({ now: () => new Date() });
const statement = signatureStatement(digestOf('an image'));
const NOWHERE: WitnessServices = { rekor: [], timestampAuthorities: [] };
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({}, context);
});
afterAll(() => sandbox[Symbol.asyncDispose]());

interface Parsed {
  readonly mediaType: string;
  readonly verificationMaterial: {
    readonly publicKey?: { readonly hint: string };
    readonly tlogEntries: readonly {
      readonly kindVersion: { readonly kind: string; readonly version: string };
      readonly canonicalizedBody: string;
    }[];
  };
  readonly dsseEnvelope?: {
    readonly payload: string;
    readonly payloadType: string;
    readonly signatures: readonly { readonly sig: string; readonly keyid?: string }[];
  };
  readonly messageSignature?: {
    readonly messageDigest: { readonly algorithm: string; readonly digest: string };
    readonly signature: string;
  };
}

const FILES = [
  ['p256-pkcs8.pem', 'sha256', 'PKIX_ECDSA_P256_SHA_256'],
  ['p384-sec1.pem', 'sha384', 'PKIX_ECDSA_P384_SHA_384'],
  ['p521-pkcs8.pem', 'sha512', 'PKIX_ECDSA_P521_SHA_512'],
  ['rsa2048-pkcs1.pem', 'sha256', 'PKIX_RSA_PKCS1V15_2048_SHA256'],
  ['rsa3072-pkcs8.pem', 'sha256', 'PKIX_RSA_PKCS1V15_3072_SHA256'],
] as const;

describe.each(FILES)('a statement signed with %s', (name, hash, keyDetails) => {
  test('verifies with the public key and the hash of its kind, and with no other key', async () => {
    const key = await open(name);
    const { bytes, signer } = await keySigner({ key, services: NOWHERE }).sign(statement, context);
    const { mediaType, verificationMaterial, dsseEnvelope } = parse(bytes);
    expect(mediaType).toBe('application/vnd.dev.sigstore.bundle.v0.3+json');
    expect(verificationMaterial.publicKey?.hint).toBe(fingerprint(key).toString('base64'));
    expect(signer).toMatchObject({ kind: 'key', fingerprint: `sha256:${fingerprint(key).toString('hex')}` });
    const [signature] = dsseEnvelope?.signatures ?? [];
    expect(signature).not.toHaveProperty('keyid');
    const signed = preAuthEncoding(dsseEnvelope?.payloadType ?? '', decode(dsseEnvelope?.payload));
    expect(verify(hash, signed, key.publicKey, decode(signature?.sig))).toBe(true);
    expect(verify(hash, Buffer.concat([signed, Buffer.from(' ')]), key.publicKey, decode(signature?.sig))).toBe(false);
  });

  test('is logged in Rekor v2 by the digest its key signs, with its key and kind', async () => {
    const key = await open(name);
    const { bytes, logEntries } = await keySigner({ key, services: services(2) }).sign(statement, context);
    expect(logEntries).toHaveLength(1);
    const [entry] = parse(bytes).verificationMaterial.tlogEntries;
    expect(entry?.kindVersion).toEqual({ kind: 'hashedrekord', version: '0.0.2' });
    const body = decode(entry?.canonicalizedBody).toString();
    expect(body).toContain(`"keyDetails":"${keyDetails}"`);
    expect(body).toContain(spki(key).toString('base64'));
    expect(body).toContain(
      createHash(hash).update(preAuthEncoding('application/vnd.in-toto+json', statement)).digest('base64'),
    );
  });

  test('is logged in Rekor v1 as an envelope', async () => {
    const key = await open(name);
    const { bytes, signedAt } = await keySigner({ key, services: services(1) }).sign(statement, context);
    const [entry] = parse(bytes).verificationMaterial.tlogEntries;
    expect(entry?.kindVersion).toEqual({ kind: 'dsse', version: '0.0.1' });
    expect(Math.abs(signedAt.getTime() - Date.now())).toBeLessThan(60_000);
  });
});

describe.each(FILES)('a message signed with %s', (name, hash) => {
  test.each([1, 2] as const)(
    'is logged in Rekor v%i with the digest that stands beside the signature',
    async (version) => {
      const key = await open(name);
      const { bytes } = await keySigner({ key, services: services(version) }).signMessage(pieces('a', 'file'), context);
      const { mediaType, messageSignature, verificationMaterial } = parse(bytes);
      expect(mediaType).toBe('application/vnd.dev.sigstore.bundle.v0.3+json');
      const digest = createHash(hash).update('afile').digest();
      expect(messageSignature?.messageDigest).toEqual({
        algorithm: hash.replace('sha', 'SHA2_'),
        digest: digest.toString('base64'),
      });
      const signature = decode(messageSignature?.signature);
      expect(verify(hash, Buffer.from('afile'), key.publicKey, signature)).toBe(true);
      expect(verify(hash, Buffer.from('afilf'), key.publicKey, signature)).toBe(false);
      const body = decode(verificationMaterial.tlogEntries[0]?.canonicalizedBody).toString();
      expect(body).toContain(digest.toString(version === 1 ? 'hex' : 'base64'));
    },
  );
});

describe("with Sigstore's own verifier", () => {
  test.each([1, 2] as const)('a P-256 signature logged in Rekor v%i verifies with its key only', async (version) => {
    const key = await open('p256-pkcs8.pem');
    const { bytes } = await keySigner({ key, services: services(version) }).sign(statement, context);
    expect(() => verifiedWithKey(bytes, key.publicKey, sandbox)).not.toThrow();
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
    expect(() => verifiedWithKey(bytes, other, sandbox)).toThrow(/./);
  });
});

describe('an Ed25519 key', () => {
  test('signs statements and messages themselves, not their digests', async () => {
    const key = await open('ed25519-pkcs8.pem');
    const signer = keySigner({ key, services: NOWHERE });
    const { dsseEnvelope } = parse((await signer.sign(statement, context)).bytes);
    const signed = preAuthEncoding('application/vnd.in-toto+json', statement);
    expect(verify(null, signed, key.publicKey, decode(dsseEnvelope?.signatures[0]?.sig))).toBe(true);
    const { messageSignature } = parse((await signer.signMessage(pieces('a', 'file'), context)).bytes);
    expect(verify(null, Buffer.from('afile'), key.publicKey, decode(messageSignature?.signature))).toBe(true);
    expect(messageSignature?.messageDigest.algorithm).toBe('SHA2_256');
  });

  test('has statements logged in Rekor v1', async () => {
    const signer = keySigner({ key: await open('ed25519-pkcs8.pem'), services: services(1) });
    expect((await signer.sign(statement, context)).logEntries).toHaveLength(1);
  });

  test('is refused, before it signs, where the log would refuse it', async () => {
    const key = await open('ed25519-pkcs8.pem');
    const before = sandbox.services.rekorV2.size();
    await expect(keySigner({ key, services: services(2) }).sign(statement, context)).rejects.toMatchObject({
      code: 'KEY_INVALID',
      message: 'Rekor v2 takes no statement that is signed with an Ed25519 key',
    });
    await expect(
      keySigner({ key, services: services(1) }).signMessage(Buffer.from('a file'), context),
    ).rejects.toMatchObject({ message: 'Rekor v1 takes no message that is signed with an Ed25519 key' });
    expect(sandbox.services.rekorV2.size()).toBe(before);
  });
});

describe('what is lost', () => {
  const warningsWith = async (chosen: WitnessServices): Promise<readonly string[]> => {
    const recording = testContext({ now: () => new Date() });
    const signer = keySigner({ key: await open('p256-pkcs8.pem'), services: chosen });
    await signer.sign(statement, recording);
    await signer.sign(statement, recording);
    return recording.events.flatMap((event) => (event.kind === 'warning' ? [event.message.slice(0, 19)] : []));
  };

  test('is said once without log and timestamp', async () => {
    expect(await warningsWith(NOWHERE)).toEqual(['no transparency log', 'no timestamp: nothi']);
  });

  test('is said for a log that keeps no time, alone', async () => {
    expect(await warningsWith({ ...services(2), timestampAuthorities: [] })).toEqual(['no timestamp: nothi']);
  });

  test('is nothing with a log that keeps the time, or one with a timestamp', async () => {
    expect(await warningsWith({ ...services(1), timestampAuthorities: [] })).toEqual([]);
    expect(await warningsWith(services(2))).toEqual([]);
  });
});

async function open(name: string): Promise<SigningKey> {
  return localKey(await readPrivateKey(keyFile(name), { what: name }, context), name);
}

function services(rekorVersion: 1 | 2): WitnessServices {
  const config = parseSigningConfig(readFileSync(sandbox.signingConfigPath), 'the signing configuration');
  return chooseWitnesses(config, { rekorVersion }, context);
}

async function* pieces(...texts: readonly string[]): AsyncIterable<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text));
}

function parse(bytes: Uint8Array): Parsed {
  return JSON.parse(Buffer.from(bytes).toString()) as Parsed;
}

function decode(base64 = ''): Buffer {
  return Buffer.from(base64, 'base64');
}

function spki({ publicKey }: { readonly publicKey: KeyObject }): Buffer {
  return createPublicKey(publicKey.export({ format: 'pem', type: 'spki' })).export({ format: 'der', type: 'spki' });
}

function fingerprint(key: SigningKey): Buffer {
  return createHash('sha256').update(spki(key)).digest();
}
