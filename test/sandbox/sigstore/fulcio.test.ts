import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { X509Certificate as SigstoreCertificate } from '@sigstore/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSigstore } from '../../../src/sandbox/sigstore/services.ts';
import { testContext } from '../../support/context.ts';

const context = testContext({ now: () => new Date() });
const subject = 'https://ci.example/build';
let services: Awaited<ReturnType<typeof startSigstore>>;
let stranger: Awaited<ReturnType<typeof startSigstore>>;

beforeAll(async () => {
  services = await startSigstore({ ports: {} }, context);
  stranger = await startSigstore({ ports: {} }, context);
});
afterAll(async () => {
  await services[Symbol.asyncDispose]();
  await stranger[Symbol.asyncDispose]();
});

describe('the certificate authority', () => {
  test('certifies the key for the subject of a good token', async () => {
    const { status, body } = await ask({ token: await services.issuer.mint({ sub: subject }) });
    expect(status).toBe(200);
    const certificate = new X509Certificate(body.signedCertificateEmbeddedSct?.chain.certificates[0] ?? '');
    expect(certificate.subjectAltName).toBe(`URI:${subject}`);
    expect(certificate.verify(new X509Certificate(services.fulcio.rootCertificate).publicKey)).toBe(true);
    expect(certificate.validToDate.getTime() - certificate.validFromDate.getTime()).toBe(600_000);
  });

  test('takes the token from the header too, where Go’s client puts it', async () => {
    const token = await services.issuer.mint({ sub: subject });
    expect((await ask({ token, inHeader: true })).status).toBe(200);
  });

  test('writes what a CI’s token says into the extensions', async () => {
    const claims = { repository: 'a/b', ref: 'refs/heads/main', run_id: '1', run_attempt: '2' };
    const { body } = await ask({ token: await services.issuer.mint({ sub: subject, ...claims }) });
    const pem = new X509Certificate(body.signedCertificateEmbeddedSct?.chain.certificates[0] ?? '');
    const certificate = SigstoreCertificate.parse(Buffer.from(pem.raw));
    const text = (arc: number): string =>
      certificate.extension(`1.3.6.1.4.1.57264.1.${arc}`)?.value.toString('latin1') ?? '';
    expect(text(1)).toBe(services.issuer.url);
    expect(text(8).slice(2)).toBe(services.issuer.url);
    expect(text(5)).toBe('a/b');
    expect(text(12).slice(2)).toBe('https://github.com/a/b');
    expect(text(21).slice(2)).toBe('https://github.com/a/b/actions/runs/1/attempts/2');
    expect(text(9)).toBe('');
  });

  test.for([
    ['an expired token', { exp: Math.floor(Date.now() / 1000) - 1 }],
    ['a token for another audience', { aud: 'elsewhere' }],
    ['a token that is not valid yet', { nbf: Math.floor(Date.now() / 1000) + 600 }],
    ['a token that names another issuer', { iss: 'https://elsewhere.example' }],
  ] as const)('refuses %s', async ([, claims]) => {
    const { status, body } = await ask({ token: await services.issuer.mint({ sub: subject, ...claims }) });
    expect([status, body.code]).toEqual([401, 16]);
    expect(body.message).toMatch(/^There was an error processing the identity token/);
  });

  test('refuses a token that another issuer signed in this one’s name', async () => {
    const token = await stranger.issuer.mint({ sub: subject, iss: services.issuer.url });
    expect((await ask({ token })).status).toBe(401);
  });

  test('refuses an unsigned token', async () => {
    const [, payload = ''] = (await services.issuer.mint({ sub: subject })).split('.');
    const header = Buffer.from('{"alg":"none"}').toString('base64url');
    expect((await ask({ token: `${header}.${payload}.` })).status).toBe(401);
  });

  test('refuses a proof of possession that is not over the subject', async () => {
    const { status, body } = await ask({ token: await services.issuer.mint({ sub: subject }), challenge: 'other' });
    expect(status).toBe(400);
    expect(body.message).toMatch(/signature supplied in the request could not be verified/);
  });

  test('refuses an e-mail identity, which its certificates could not name rightly', async () => {
    const token = await services.issuer.mint({ email: 'a@b.example', email_verified: true });
    expect((await ask({ token })).status).toBe(400);
  });

  test.for(['', '{}', '{"publicKeyRequest":', '[]'])('refuses the body %s', async (body) => {
    const response = await fetch(`${services.fulcio.url}/api/v2/signingCert`, { method: 'POST', body });
    expect(response.status).toBe(400);
  });
});

test('a sandbox whose clock is behind its certificates does not start', async () => {
  const behind = testContext({ now: () => new Date('2001-01-01T00:00:00Z') });
  await expect(startSigstore({ ports: {} }, behind)).rejects.toMatchObject({ code: 'SANDBOX_UNAVAILABLE' });
});

interface Answer {
  readonly code?: number;
  readonly message?: string;
  readonly signedCertificateEmbeddedSct?: { readonly chain: { readonly certificates: readonly string[] } };
}

interface Asked {
  readonly token: string;
  readonly challenge?: string;
  readonly inHeader?: boolean;
}

async function ask({ token, challenge = subject, inHeader = false }: Asked): Promise<{ status: number; body: Answer }> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const content = publicKey.export({ format: 'pem', type: 'spki' });
  const proofOfPossession = sign('sha256', Buffer.from(challenge), privateKey).toString('base64');
  const response = await fetch(`${services.fulcio.url}/api/v2/signingCert`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(inHeader ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify({
      ...(inHeader ? {} : { credentials: { oidcIdentityToken: token } }),
      publicKeyRequest: { publicKey: { algorithm: 'ECDSA', content }, proofOfPossession },
    }),
  });
  return { status: response.status, body: (await response.json()) as Answer };
}
