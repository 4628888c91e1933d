import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keySigner } from '../../../src/sign/key/key-signer.ts';
import { readOwnCertificate } from '../../../src/sign/key/own-certificate.ts';
import { readPrivateKey } from '../../../src/sign/key/private-key.ts';
import { localKey, type SigningKey } from '../../../src/sign/key/signing-key.ts';
import { testContext } from '../../support/context.ts';
import { keyFile } from '../../support/keys.ts';

const context = testContext({ now: () => new Date('2027-01-01T00:00:00Z') });
const own = { certificate: file('leaf.crt'), chain: file('chain.pem') };

test.each(['leaf.crt', 'leaf.der'])('takes the certificate for the key from %s, with its chain', async (name) => {
  const certificate = readOwnCertificate({ ...own, certificate: file(name) }, await key(), context);
  expect(certificate).toMatchObject({ subject: 'O=Example, CN=Release signing', der: file('leaf.der') });
});

test('takes a certificate without a chain', async () => {
  expect(readOwnCertificate({ certificate: file('leaf.crt') }, await key(), context).pem).toContain('BEGIN CERT');
});

test('takes a chain in another order, and one that begins with the certificate itself', async () => {
  const [intermediate = '', root = ''] = file('chain.pem')
    .toString()
    .split(/(?<=-----END CERTIFICATE-----\n)/);
  for (const chain of [root + intermediate, file('leaf.crt').toString() + intermediate + root])
    expect(readOwnCertificate({ ...own, chain: Buffer.from(chain) }, await key(), context)).toBeDefined();
});

test('puts the one certificate into the bundle, and names the key and the subject', async () => {
  const signing = await key();
  const certificate = readOwnCertificate(own, signing, context);
  const services = { rekor: [], timestampAuthorities: [] };
  const { bytes, signer } = await keySigner({ key: signing, certificate, services }).sign(Buffer.from('{}'), context);
  const bundle = JSON.parse(Buffer.from(bytes).toString()) as { verificationMaterial: object };
  expect(bundle.verificationMaterial).toMatchObject({ certificate: { rawBytes: file('leaf.der').toString('base64') } });
  expect(bundle.verificationMaterial).not.toHaveProperty('publicKey');
  expect(signer).toMatchObject({ kind: 'key', certificateSubject: 'O=Example, CN=Release signing' });
});

test.each([
  ['for another key', own, 'p384-sec1.pem', /it is for another key/],
  ['not meant for signing code', { certificate: file('server-auth.crt') }, 'p256-pkcs8.pem', /not meant for signing/],
  ['of an authority', { certificate: file('root.crt') }, 'p256-pkcs8.pem', /it is for another key/],
  ['with others in its file', { certificate: file('chain.pem') }, 'p256-pkcs8.pem', /holds 2 certificates/],
  [
    'whose issuer is not in the chain',
    { ...own, chain: file('root.crt') },
    'p256-pkcs8.pem',
    /no certificate authority/,
  ],
  ['in a file that holds none', { certificate: Buffer.from('no') }, 'p256-pkcs8.pem', /cannot be read/],
])('refuses a certificate %s', async (_, files, name, message) => {
  const signing = await key(name);
  expect(() => readOwnCertificate(files, signing, context)).toThrow(
    expect.objectContaining({ code: 'KEY_INVALID', message: expect.stringMatching(message) }),
  );
});

test.each(['2025-01-01T00:00:00Z', '2200-01-01T00:00:00Z'])(
  'refuses a certificate that is not valid in %s',
  async (at) => {
    const signing = await key();
    expect(() => readOwnCertificate(own, signing, testContext({ now: () => new Date(at) }))).toThrow(
      /is valid from 20/,
    );
  },
);

async function key(name = 'p256-pkcs8.pem'): Promise<SigningKey> {
  return localKey(await readPrivateKey(keyFile(name), { what: name }, context), name);
}

function file(name: string): Buffer {
  return readFileSync(join(import.meta.dirname, '../../fixtures/certificates', name));
}
