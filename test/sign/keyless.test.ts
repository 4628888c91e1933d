import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Context } from '../../src/base/context.ts';
import { BoltsealError } from '../../src/base/errors.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { json, type SandboxReply } from '../../src/sandbox/http/message.ts';
import { serve } from '../../src/sandbox/http/server.ts';
import { startSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { chooseServices } from '../../src/sign/choose-services.ts';
import { readIdentityToken } from '../../src/sign/identity-token.ts';
import { keylessSigner } from '../../src/sign/keyless.ts';
import type { StatementSigner } from '../../src/sign/signer.ts';
import { parseSigningConfig, type SigningServices } from '../../src/sign/signing-config.ts';
import { attestationStatement, makePredicate, signatureStatement } from '../../src/sign/statements.ts';
import { verifiedIdentity } from '../support/bundles.ts';
import { testContext } from '../support/context.ts';

const context = testContext({ now: () => new Date() });
const statement = signatureStatement(digestOf('an image'));
const stubs: AsyncDisposable[] = [];
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({}, context);
});
afterAll(() => sandbox[Symbol.asyncDispose]());
afterEach(async () => {
  for (const running of stubs.splice(0)) await running[Symbol.asyncDispose]();
});

describe.for([
  { version: 1, kind: 'dsse', kindVersion: '0.0.1' },
  { version: 2, kind: 'hashedrekord', kindVersion: '0.0.2' },
] as const)('signing with Rekor v$version', ({ version, kind, kindVersion }) => {
  test('gives a bundle that verifies against the trusted root', async () => {
    const { signer } = keyless(services(version));
    const signed = await signer.sign(statement, context);
    expect(verifiedIdentity(signed.bytes, sandbox)).toBe(sandbox.identity);
    expect(signed.signer).toEqual({ kind: 'certificate', identity: sandbox.identity, issuer: sandbox.issuer });
    expect(signed.logEntries).toMatchObject([{ url: services(version).rekor[0]?.url }]);
    expect(Math.abs(signed.signedAt.getTime() - Date.now())).toBeLessThan(60_000);
  });

  test('logs the entry that kind of log takes, beside one timestamp', async () => {
    const bundle = parse((await keyless(services(version)).signer.sign(statement, context)).bytes);
    expect(bundle).toMatchObject({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: {
        certificate: { rawBytes: expect.any(String) as string },
        tlogEntries: [{ kindVersion: { kind, version: kindVersion } }],
        timestampVerificationData: { rfc3161Timestamps: [{}] },
      },
    });
  });

  test('gives a bundle that does not verify with another payload', async () => {
    const bundle = parse((await keyless(services(version)).signer.sign(statement, context)).bytes);
    const payload = Buffer.from(signatureStatement(digestOf('another image'))).toString('base64');
    const changed = { ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, payload } };
    expect(() => verifiedIdentity(Buffer.from(JSON.stringify(changed)), sandbox)).toThrow(/./);
  });
});

test('the envelope has one signature, without a key ID', async () => {
  const { dsseEnvelope } = parse((await keyless(services(1)).signer.sign(statement, context)).bytes);
  expect(dsseEnvelope.payloadType).toBe('application/vnd.in-toto+json');
  expect(Buffer.from(dsseEnvelope.payload, 'base64').equals(statement)).toBe(true);
  expect(dsseEnvelope.signatures.map((signature) => Object.keys(signature))).toEqual([['sig']]);
});

test('a bundle with Rekor v1 alone verifies too', async () => {
  const { signer } = keyless({ ...services(1), timestampAuthorities: [] });
  expect(verifiedIdentity((await signer.sign(statement, context)).bytes, sandbox)).toBe(sandbox.identity);
});

test('an attestation verifies', async () => {
  const predicate = makePredicate('cyclonedx', Buffer.from('{"bomFormat":"CycloneDX"}'), context);
  const payload = attestationStatement({ name: 'registry.example/app', digest: digestOf('an image') }, predicate);
  const signed = await keyless(services(2)).signer.sign(payload, context);
  expect(verifiedIdentity(signed.bytes, sandbox)).toBe(sandbox.identity);
});

describe('one certificate', () => {
  test('serves a batch, also when its statements are signed at once', async () => {
    const { signer, asked } = keyless(services(2));
    const sign = (name: string): ReturnType<typeof signer.sign> =>
      signer.sign(signatureStatement(digestOf(name)), context);
    const bundles = [await sign('a'), ...(await Promise.all([sign('b'), sign('c')]))];
    expect(asked()).toBe(1);
    expect(new Set(bundles.map(({ bytes }) => parse(bytes).verificationMaterial.certificate.rawBytes)).size).toBe(1);
    for (const { bytes } of bundles) expect(verifiedIdentity(bytes, sandbox)).toBe(sandbox.identity);
  });

  test('serves statements that are signed at once from the start', async () => {
    const { signer, asked } = keyless(services(2));
    await Promise.all(['a', 'b', 'c'].map((name) => signer.sign(signatureStatement(digestOf(name)), context)));
    expect(asked()).toBe(1);
  });

  test('is renewed when it is about to end', async () => {
    const { signer, asked } = keyless(services(2));
    await signer.sign(statement, context);
    await signer.sign(statement, { ...context, now: () => new Date(Date.now() + 9.5 * 60_000) });
    expect(asked()).toBe(2);
  });

  test('is renewed once when a whole batch finds it ended', async () => {
    const { signer, asked } = keyless(services(2));
    await signer.sign(statement, context);
    const later = { ...context, now: () => new Date(Date.now() + 9.5 * 60_000) };
    await Promise.all(['a', 'b', 'c'].map((name) => signer.sign(signatureStatement(digestOf(name)), later)));
    expect(asked()).toBe(2);
  });

  test('that was refused once is asked for again', async () => {
    const down = await stub(() => json(400, { message: 'no' }));
    const fulcio = { ...services(2).fulcio, url: down };
    const { signer, asked } = keyless({ ...services(2), fulcio });
    await expect(signer.sign(statement, context)).rejects.toMatchObject({ code: 'FULCIO_FAILED' });
    await expect(signer.sign(statement, context)).rejects.toMatchObject({ code: 'FULCIO_FAILED' });
    expect(asked()).toBe(2);
  });
});

describe('a service that fails', () => {
  test('Fulcio down: FULCIO_FAILED with its URL', async () => {
    const error = await failure({ ...services(1), fulcio: { ...services(1).fulcio, url: await closedPort() } });
    expect(error).toMatchObject({ code: 'FULCIO_FAILED', exitCode: 3 });
    expect(error.message).toMatch(/http:\/\/127\.0\.0\.1:\d+/);
    expect(error.hint).toMatch(/network/);
  });

  test('Fulcio that sends the token back: the token is not in the error', async () => {
    const url = await stub(async (body) => json(400, { message: `bad token ${tokenIn((await body).toString())}` }));
    const error = await failure({ ...services(1), fulcio: { ...services(1).fulcio, url } });
    expect(error.message).toContain('bad token [redacted]');
    expect(inspectAll(error)).not.toMatch(/eyJ/);
  });

  test('Fulcio that certifies another key: FULCIO_FAILED', async () => {
    const certificate = await someCertificate();
    const answer = { signedCertificateEmbeddedSct: { chain: { certificates: [certificate] } } };
    const url = await stub(() => json(200, answer));
    const error = await failure({ ...services(1), fulcio: { ...services(1).fulcio, url } });
    expect(error.message).toContain('the certificate is for another key');
  });

  test.for([1, 2] as const)('Rekor v%i with status 500: tried three times, then REKOR_FAILED', async (version) => {
    let asked = 0;
    const url = await stub(() => {
      asked += 1;
      return json(500, { message: 'trillian is asleep' });
    });
    const error = await failure({ ...services(1), rekor: [rekorAt(url, version)] });
    expect(error).toMatchObject({ code: 'REKOR_FAILED' });
    expect(error.message).toContain('HTTP 500');
    expect(error.message).toContain('trillian is asleep');
    expect(asked).toBe(3);
  });

  test.for([1, 2] as const)('Rekor v%i with status 400: asked once, then REKOR_FAILED', async (version) => {
    let asked = 0;
    const url = await stub(() => {
      asked += 1;
      return json(400, { message: 'no' });
    });
    expect(await failure({ ...services(1), rekor: [rekorAt(url, version)] })).toMatchObject({ code: 'REKOR_FAILED' });
    expect(asked).toBe(1);
  });

  test('Rekor v2 that answers with an entry about something else: REKOR_FAILED', async () => {
    const other = parse((await keyless(services(2)).signer.sign(statement, context)).bytes);
    const url = await stub(() => json(201, other.verificationMaterial.tlogEntries[0] ?? {}));
    const error = await failure({ ...services(2), rekor: [rekorAt(url, 2)] });
    expect(error.message).toContain('it is about another signature');
  });

  test('Rekor v1 that has the entry already: the bundle has that entry', async () => {
    const real = services(1).rekor[0]?.url ?? '';
    let conflicts = 0;
    const url = await stub(async (body, path) => {
      const isNew = path.endsWith('entries');
      const response = await fetch(`${real}${path}`, isNew ? { method: 'POST', body: await body } : {});
      if (!isNew) return json(response.status, await response.json());
      conflicts += 1;
      const location = response.headers.get('location') ?? '';
      return json(409, { message: 'an equivalent entry already exists' }, { location });
    });
    const signed = await keyless({ ...services(1), rekor: [rekorAt(url, 1)] }).signer.sign(statement, context);
    expect(conflicts).toBe(1);
    expect(verifiedIdentity(signed.bytes, sandbox)).toBe(sandbox.identity);
  });

  test('TSA down: TSA_FAILED', async () => {
    const error = await failure({ ...services(2), timestampAuthorities: [tsaAt(await closedPort())] });
    expect(error).toMatchObject({ code: 'TSA_FAILED' });
  });

  test('TSA that answers with a timestamp of something else: TSA_FAILED', async () => {
    const query = Buffer.from(
      `303902010130 31300d060960864801650304020105000420${'00'.repeat(32)}020101`.replaceAll(' ', ''),
      'hex',
    );
    const endpoint = services(2).timestampAuthorities[0]?.url ?? '';
    const headers = { 'content-type': 'application/timestamp-query' };
    const stamp = await (await fetch(endpoint, { method: 'POST', headers, body: query })).arrayBuffer();
    const url = await stub(() => ({ status: 200, body: Buffer.from(stamp) }));
    const error = await failure({ ...services(2), timestampAuthorities: [tsaAt(url)] });
    expect(error.message).toContain('the timestamp is over something else');
  });

  test('TSA that answers with another request’s nonce: TSA_FAILED', async () => {
    const endpoint = services(2).timestampAuthorities[0]?.url ?? '';
    const url = await stub(async (body) => {
      const query = Buffer.from(await body);
      query.writeUInt8(query.readUInt8(query.length - 1) ^ 1, query.length - 1);
      const headers = { 'content-type': 'application/timestamp-query' };
      const response = await fetch(endpoint, { method: 'POST', headers, body: query });
      return { status: 200, body: Buffer.from(await response.arrayBuffer()) };
    });
    const error = await failure({ ...services(2), timestampAuthorities: [tsaAt(url)] });
    expect(error.message).toContain('the timestamp answers another request');
  });

  test('TSA that rejects the request: TSA_FAILED with its status', async () => {
    const url = await stub(() => ({ status: 200, body: Buffer.from('30053003020102', 'hex') }));
    const error = await failure({ ...services(2), timestampAuthorities: [tsaAt(url)] });
    expect(error.message).toContain('the authority answered with status 2');
  });

  test.for(['', 'not DER', '<html>'])('TSA that answers with "%s": TSA_FAILED', async (body) => {
    const url = await stub(() => ({ status: 200, body }));
    const error = await failure({ ...services(2), timestampAuthorities: [tsaAt(url)] });
    expect(error).toMatchObject({ code: 'TSA_FAILED' });
  });
});

test('an interrupted run ends at once with INTERRUPTED', async () => {
  const hang = new AbortController();
  const url = await stub(() => new Promise<SandboxReply>(() => {}));
  const { signer } = keyless({ ...services(2), rekor: [rekorAt(url, 2)] });
  setTimeout(() => hang.abort(), 200);
  const signed = signer.sign(statement, { ...context, signal: hang.signal });
  await expect(signed).rejects.toMatchObject({ code: 'INTERRUPTED' });
});

interface ParsedBundle {
  readonly verificationMaterial: {
    readonly certificate: { readonly rawBytes: string };
    readonly tlogEntries: readonly object[];
  };
  readonly dsseEnvelope: {
    readonly payload: string;
    readonly payloadType: string;
    readonly signatures: readonly object[];
  };
}

function services(rekorVersion: 1 | 2): SigningServices {
  const config = parseSigningConfig(readFileSync(sandbox.signingConfigPath), 'the signing configuration');
  return chooseServices(config, { rekorVersion }, context);
}

function keyless(chosen: SigningServices): { signer: StatementSigner; asked: () => number } {
  let asked = 0;
  const getToken = async (at: Context): ReturnType<Parameters<typeof keylessSigner>[0]['getToken']> => {
    asked += 1;
    return readIdentityToken(await sandbox.token(), { origin: 'the sandbox' }, at);
  };
  return { signer: keylessSigner({ services: chosen, getToken }), asked: () => asked };
}

async function failure(chosen: SigningServices): Promise<BoltsealError> {
  const error: unknown = await keyless(chosen)
    .signer.sign(statement, context)
    .catch((caught: unknown) => caught);
  if (error instanceof BoltsealError) return error;
  throw new Error('it did not fail as it should', { cause: error });
}

function rekorAt(url: string, majorApiVersion: number): SigningServices['fulcio'] {
  return { ...services(1).fulcio, url, majorApiVersion };
}

function tsaAt(url: string): SigningServices['fulcio'] {
  return { ...services(1).fulcio, url: `${url}/api/v1/timestamp` };
}

/** A service on loopback that answers everything the same way, until the test is over. */
async function stub(
  answer: (body: Promise<Buffer<ArrayBuffer>>, path: string) => SandboxReply | Promise<SandboxReply>,
): Promise<string> {
  const methods = ['GET', 'POST'];
  const routes = [
    {
      methods,
      path: /^/,
      answer: ({ stream, url }: { stream: AsyncIterable<Uint8Array>; url: URL }) =>
        answer(readAll(stream), url.pathname),
    },
  ];
  const service = await serve({ name: 'stub', port: 0, routes: () => routes }, context);
  stubs.push(service);
  return service.url;
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function closedPort(): Promise<string> {
  const service = await serve({ name: 'closed', port: 0, routes: () => [] }, context);
  await service[Symbol.asyncDispose]();
  return service.url;
}

async function someCertificate(): Promise<string> {
  const { bytes } = await keyless(services(1)).signer.sign(statement, context);
  const { rawBytes } = parse(bytes).verificationMaterial.certificate;
  return `-----BEGIN CERTIFICATE-----\n${rawBytes}\n-----END CERTIFICATE-----\n`;
}

function tokenIn(body: string): string {
  return (JSON.parse(body) as { credentials: { oidcIdentityToken: string } }).credentials.oidcIdentityToken;
}

function inspectAll(error: unknown): string {
  return error instanceof Error ? `${error.message} ${error.stack ?? ''} ${inspectAll(error.cause)}` : String(error);
}

function parse(bytes: Uint8Array): ParsedBundle {
  return JSON.parse(Buffer.from(bytes).toString()) as ParsedBundle;
}
