import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { json as jsonLib } from '@sigstore/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { preAuthEncoding } from '../../../src/intoto/dsse.ts';
import { startRekorV1, type TransparencyLog } from '../../../src/sandbox/sigstore/rekor-v1.ts';
import { testContext } from '../../support/context.ts';
import { hashLeaf, isConsistent, rootByInclusion } from '../../support/merkle.ts';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = Buffer.from(publicKey.export({ format: 'pem', type: 'spki' })).toString('base64');
const context = testContext();
let log: TransparencyLog;

beforeAll(async () => {
  log = await startRekorV1(0, context);
});
afterAll(() => log[Symbol.asyncDispose]());

describe('Rekor v1', () => {
  test('takes a DSSE entry, and keeps its hashes, signature and key', async () => {
    const { status, entry } = await post(dsseEntry('one'));
    expect(status).toBe(201);
    const body = JSON.parse(Buffer.from(entry.body, 'base64').toString()) as object;
    expect(body).toMatchObject({
      apiVersion: '0.0.1',
      kind: 'dsse',
      spec: {
        payloadHash: { algorithm: 'sha256', value: createHash('sha256').update('one').digest('hex') },
        signatures: [{ verifier: pem }],
      },
    });
  });

  test('proves inclusion, and signs the root of the proof and the time', async () => {
    await post(dsseEntry('two'));
    const { entry } = await post(dsseEntry('three'));
    const { inclusionProof: proof, signedEntryTimestamp } = entry.verification;
    const leaf = hashLeaf(Buffer.from(entry.body, 'base64'));
    const hashes = proof.hashes.map((hash) => Buffer.from(hash, 'hex'));
    const root = rootByInclusion(leaf, { index: proof.logIndex, size: proof.treeSize, proof: hashes });
    expect(root?.toString('hex')).toBe(proof.rootHash);
    expect(checkCheckpoint(proof.checkpoint)).toEqual({ size: proof.treeSize, root: root?.toString('base64') });
    const { body, integratedTime, logID, logIndex } = entry;
    const promised = Buffer.from(jsonLib.canonicalize({ body, integratedTime, logID, logIndex }));
    expect(verify('sha256', promised, logKey(), Buffer.from(signedEntryTimestamp, 'base64'))).toBe(true);
    expect(integratedTime).toBe(context.now().getTime() / 1000);
  });

  test('proves that it only grew', async () => {
    const before = await info();
    await post(dsseEntry('four'));
    await post(dsseEntry('five'));
    const after = await info();
    const query = `firstSize=${before.treeSize}&lastSize=${after.treeSize}`;
    const { hashes } = (await getJson(`/api/v1/log/proof?${query}`)) as { hashes: readonly string[] };
    const growth = {
      first: before.treeSize,
      second: after.treeSize,
      firstRoot: Buffer.from(before.rootHash, 'hex'),
      secondRoot: Buffer.from(after.rootHash, 'hex'),
      proof: hashes.map((hash) => Buffer.from(hash, 'hex')),
    };
    expect(isConsistent(growth)).toBe(true);
    expect(isConsistent({ ...growth, firstRoot: growth.secondRoot })).toBe(false);
  });

  test('answers a second entry with the same body with 409 and where the first is', async () => {
    const proposed = dsseEntry('twice');
    const first = await post(proposed);
    const second = await post(proposed);
    expect(second.status).toBe(409);
    const found = (await getJson(second.location)) as Record<string, { logIndex: number }>;
    expect(Object.values(found)[0]?.logIndex).toBe(first.entry.logIndex);
    expect((await fetch(`${log.url}/api/v1/log/entries/${'0'.repeat(80)}`)).status).toBe(404);
  });

  test('refuses an envelope whose signature is over something else', async () => {
    const size = log.size();
    const { status, message } = await post(dsseEntry('six', { signed: 'seven' }));
    expect([status, log.size()]).toEqual([400, size]);
    expect(message).toMatch(/could not verify envelope/);
  });

  test('takes a hashedrekord whose signature is over the digest, and no other', async () => {
    expect((await post(hashedRekord('data', 'data'))).status).toBe(201);
    expect((await post(hashedRekord('data', 'Data'))).status).toBe(400);
  });

  test.for([
    '',
    '[]',
    '{"kind":"rpm","apiVersion":"0.0.1","spec":{}}',
    '{"kind":"dsse","apiVersion":"0.0.1","spec":{}}',
  ])('refuses the entry %s', async (body) => {
    expect((await fetch(`${log.url}/api/v1/log/entries`, { method: 'POST', body })).status).toBe(400);
  });

  test('refuses a request that names another host, as a rebound web page would', async () => {
    const { get } = await import('node:http');
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    get(`${log.url}/api/v1/log`, { headers: { host: 'evil.example' } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    expect(await promise).toBe(421);
  });
});

interface Entry {
  readonly body: string;
  readonly integratedTime: number;
  readonly logID: string;
  readonly logIndex: number;
  readonly verification: {
    readonly signedEntryTimestamp: string;
    readonly inclusionProof: {
      readonly logIndex: number;
      readonly treeSize: number;
      readonly rootHash: string;
      readonly hashes: readonly string[];
      readonly checkpoint: string;
    };
  };
}

function dsseEntry(payload: string, { signed = payload }: { signed?: string } = {}): object {
  const payloadType = 'application/vnd.in-toto+json';
  const sig = sign('sha256', preAuthEncoding(payloadType, Buffer.from(signed)), privateKey).toString('base64');
  const envelope = { payload: Buffer.from(payload).toString('base64'), payloadType, signatures: [{ sig }] };
  const proposedContent = { envelope: JSON.stringify(envelope), verifiers: [pem] };
  return { apiVersion: '0.0.1', kind: 'dsse', spec: { proposedContent } };
}

function hashedRekord(data: string, signed: string): object {
  const value = createHash('sha256').update(data).digest('hex');
  const content = sign('sha256', Buffer.from(signed), privateKey).toString('base64');
  const spec = { data: { hash: { algorithm: 'sha256', value } }, signature: { content, publicKey: { content: pem } } };
  return { apiVersion: '0.0.1', kind: 'hashedrekord', spec };
}

async function post(
  proposed: object,
): Promise<{ status: number; location: string; message: string | undefined; entry: Entry }> {
  const response = await fetch(`${log.url}/api/v1/log/entries`, { method: 'POST', body: JSON.stringify(proposed) });
  const body = (await response.json()) as Record<string, Entry> & { message?: string };
  const [entry] = Object.values(body);
  return {
    status: response.status,
    location: response.headers.get('location') ?? '',
    message: body.message,
    entry: entry as Entry,
  };
}

async function getJson(path: string): Promise<unknown> {
  return (await fetch(`${log.url}${path}`)).json();
}

async function info(): Promise<{ treeSize: number; rootHash: string }> {
  return (await getJson('/api/v1/log')) as { treeSize: number; rootHash: string };
}

function logKey(): ReturnType<typeof createPublicKey> {
  return createPublicKey({ key: log.key.publicKey, format: 'der', type: 'spki' });
}

function checkCheckpoint(text: string): object {
  const [note = '', signature = ''] = text.split('\n\n');
  const [, size, root] = note.split('\n');
  const bytes = Buffer.from(signature.trim().split(' ')[2] ?? '', 'base64');
  expect(bytes.subarray(0, 4)).toEqual(log.key.id.subarray(0, 4));
  expect(verify('sha256', Buffer.from(`${note}\n`), logKey(), bytes.subarray(4))).toBe(true);
  return { size: Number(size), root };
}
