import {
  createPublicKey,
  generateKeyPairSync,
  sign as signBytes,
  X509Certificate as NodeCertificate,
} from 'node:crypto';
import { bundleFromJSON, bundleToJSON } from '@sigstore/bundle';
import { ASN1Obj } from '@sigstore/core';
import { DSSEBundleBuilder, FulcioSigner } from '@sigstore/sign';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { INTOTO_PAYLOAD_TYPE } from '../../src/intoto/dsse.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { rekorV1Witness } from '../../src/sign/rekor-v1.ts';
import { readCertificate } from '../../src/verify/certificate.ts';
import { Rejected } from '../../src/verify/rejection.ts';
import type { CertificateSigner } from '../../src/verify/verification.ts';
import { verifyBundle } from '../../src/verify/verifier.ts';
import { edit } from '../support/bundle-json.ts';
import { signaturePayload, startSigning, type Signing } from '../support/sandbox-bundles.ts';

const SUBJECT = digestOf('an image');
let signing: Signing & AsyncDisposable;
let good: Uint8Array;

beforeAll(async () => {
  signing = await startSigning();
  good = await signing.sign(signaturePayload(SUBJECT), { claims: { repository: 'acme/app', ref: 'refs/heads/main' } });
});
afterAll(() => signing[Symbol.asyncDispose]());

const OIDS = {
  subjectAlternativeName: '2.5.29.17',
  extendedKeyUsage: '2.5.29.37',
  issuerRaw: '1.3.6.1.4.1.57264.1.1',
  issuer: '1.3.6.1.4.1.57264.1.8',
};

/** The good bundle's certificate with its extensions changed; nobody signed it again, so only its form can be judged. */
function reshape(change: (extensions: ASN1Obj[]) => void): Uint8Array {
  return edit(good, (bundle) => {
    const root = ASN1Obj.parseBuffer(Buffer.from(bundle.verificationMaterial.certificate?.rawBytes ?? '', 'base64'));
    const tbs = root.subs[0]?.subs ?? [];
    change(tbs.at(-1)?.subs[0]?.subs ?? []);
    bundle.verificationMaterial.certificate = { rawBytes: root.toDER().toString('base64') };
  });
}

function read(bytes: Uint8Array): CertificateSigner | string {
  try {
    return readCertificate(bundleFromJSON(JSON.parse(Buffer.from(bytes).toString())))?.signer ?? 'a key';
  } catch (error) {
    if (error instanceof Rejected) return error.code;
    throw error;
  }
}

function extension(extensions: readonly ASN1Obj[], oid: string): ASN1Obj {
  const found = extensions.find(({ subs }) => subs[0]?.toOID() === oid);
  if (found === undefined) throw new Error(`no extension ${oid}`);
  return found;
}

const valueOf = (found: ASN1Obj): ASN1Obj => found.subs.at(-1) ?? found;
const copyOf = (object: ASN1Obj): ASN1Obj => ASN1Obj.parseBuffer(Buffer.from(object.toDER()));

describe('a certificate', () => {
  test('as Fulcio issues it names one identity, one issuer and its extensions', () => {
    expect(read(reshape(() => undefined))).toMatchObject({
      identity: signing.sandbox.identity,
      identityKind: 'uri',
      issuer: signing.sandbox.issuer,
      extensions: { sourceRepositoryUri: 'https://github.com/acme/app', githubWorkflowRef: 'refs/heads/main' },
    });
  });

  test('with two names is refused', () => {
    const bytes = reshape((extensions) => {
      const names = valueOf(extension(extensions, OIDS.subjectAlternativeName)).subs[0];
      const [first] = names?.subs ?? [];
      if (first !== undefined) names?.subs.push(copyOf(first));
    });
    expect(read(bytes)).toBe('CERTIFICATE_IDENTITY_INVALID');
  });

  test('without a name is refused', () => {
    const bytes = reshape((extensions) => {
      const at = extensions.indexOf(extension(extensions, OIDS.subjectAlternativeName));
      extensions.splice(at, 1);
    });
    expect(read(bytes)).toBe('CERTIFICATE_IDENTITY_INVALID');
  });

  test('whose name has a byte beyond ASCII is refused: the library would read it as another letter', () => {
    const bytes = reshape((extensions) => {
      const name = valueOf(extension(extensions, OIDS.subjectAlternativeName)).subs[0]?.subs[0];
      if (name !== undefined) name.value[0] = (name.value[0] ?? 0) | 0x80;
    });
    expect(read(bytes)).toBe('CERTIFICATE_IDENTITY_INVALID');
  });

  test('whose two issuer extensions disagree is refused; with one of them it is not', () => {
    const disagree = reshape((extensions) => {
      const issuer = valueOf(extension(extensions, OIDS.issuerRaw));
      issuer.value[0] = 'x'.charCodeAt(0);
    });
    expect(read(disagree)).toBe('CERTIFICATE_IDENTITY_INVALID');
    const one = reshape((extensions) =>
      extensions.splice(extensions.indexOf(extension(extensions, OIDS.issuerRaw)), 1),
    );
    expect(read(one)).toMatchObject({ issuer: signing.sandbox.issuer });
  });

  test('without an issuer is refused', () => {
    const bytes = reshape((extensions) => {
      for (const oid of [OIDS.issuer, OIDS.issuerRaw])
        extensions.splice(extensions.indexOf(extension(extensions, oid)), 1);
    });
    expect(read(bytes)).toBe('CERTIFICATE_IDENTITY_INVALID');
  });

  test('for another use than signing code is refused', () => {
    const bytes = reshape((extensions) => {
      const usage = valueOf(extension(extensions, OIDS.extendedKeyUsage)).subs[0]?.subs[0];
      if (usage !== undefined) usage.value[usage.value.length - 1] = 1;
    });
    expect(read(bytes)).toBe('CERTIFICATE_INVALID');
  });

  test('with an extension twice is refused', () => {
    const bytes = reshape((extensions) => extensions.push(copyOf(extension(extensions, OIDS.issuer))));
    expect(read(bytes)).toBe('CERTIFICATE_INVALID');
  });

  test('of a certificate authority is refused', () => {
    const ca = edit(good, (bundle) => {
      const der = signing.sandbox.services.fulcio.rootCertificate;
      expect(new NodeCertificate(der).ca).toBe(true);
      bundle.verificationMaterial.certificate = { rawBytes: der.toString('base64') };
    });
    expect(read(ca)).toBe('CERTIFICATE_INVALID');
  });

  test('with bytes after its end, or none at all, is refused', () => {
    const longer = edit(good, (bundle) => {
      const der = Buffer.from(bundle.verificationMaterial.certificate?.rawBytes ?? '', 'base64');
      bundle.verificationMaterial.certificate = { rawBytes: Buffer.concat([der, Buffer.alloc(1)]).toString('base64') };
    });
    expect(read(longer)).toBe('CERTIFICATE_INVALID');
    expect(read(edit(good, (b) => (b.verificationMaterial.certificate = { rawBytes: 'AAAA' })))).toBe(
      'CERTIFICATE_INVALID',
    );
  });
});

describe('two certificates for one key', () => {
  /** Signed with one key; the bundle has one certificate and the log entry the other, which the library does not notice. */
  async function bundleWith(bundled: string, logged: string): Promise<Uint8Array> {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const sign = (data: Uint8Array): Buffer => signBytes('sha256', data, pair.privateKey);
    const certify = async (identity: string): Promise<string> => {
      const pem = createPublicKey(pair.privateKey).export({ format: 'pem', type: 'spki' }).toString();
      const fulcio = new FulcioSigner({
        fulcioBaseURL: signing.sandbox.services.fulcio.url,
        identityProvider: { getToken: () => signing.sandbox.token({ sub: identity }) },
        keyHolder: {
          sign: (data) => Promise.resolve({ signature: sign(data), key: { $case: 'publicKey', publicKey: pem } }),
        },
      });
      const { key } = await fulcio.sign(Buffer.alloc(0));
      return key.$case === 'x509Certificate' ? key.certificate : '';
    };
    const certificates = { [bundled]: await certify(bundled), [logged]: await certify(logged) };
    const witness = rekorV1Witness(signing.sandbox.services.rekorV1.url, signing.context);
    const builder = new DSSEBundleBuilder({
      signer: {
        sign: (data) =>
          Promise.resolve({
            signature: sign(data),
            key: { $case: 'x509Certificate', certificate: certificates[bundled] ?? '' },
          }),
      },
      witnesses: [{ testify: (content) => witness.testify(content, certificates[logged] ?? '') }],
    });
    const bundle = await builder.create({ data: Buffer.from(signaturePayload(SUBJECT)), type: INTOTO_PAYLOAD_TYPE });
    return Buffer.from(JSON.stringify(bundleToJSON(bundle)));
  }

  test('the log must name the one in the bundle', async () => {
    const [alice, mallory] = ['https://example.com/alice', 'https://example.com/mallory'];
    const check = async (bundled: string, logged: string): Promise<object> =>
      verifyBundle({ bytes: await bundleWith(bundled, logged) }, SUBJECT, { trust: signing.trust });
    expect(await check(alice, alice)).toMatchObject({ ok: true, attestation: { signer: { identity: alice } } });
    expect(await check(alice, mallory)).toMatchObject({ ok: false, rejection: { code: 'LOG_ENTRY_MISMATCH' } });
  });
});
