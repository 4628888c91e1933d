import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TransparencyLog } from '../../../src/sandbox/sigstore/rekor-v1.ts';
import { startRekorV2 } from '../../../src/sandbox/sigstore/rekor-v2.ts';
import { testContext } from '../../support/context.ts';
import { hashLeaf, rootByInclusion, rootOf } from '../../support/merkle.ts';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rawBytes = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
let log: TransparencyLog;

beforeAll(async () => {
  log = await startRekorV2(0, testContext());
});
afterAll(() => log[Symbol.asyncDispose]());

describe('Rekor v2', () => {
  test('takes a hashedrekord and proves that it is in the log, without a promise of time', async () => {
    await post(request('zero'));
    const { status, body } = await post(request('one'));
    expect(status).toBe(201);
    expect(body).toMatchObject({ kindVersion: { kind: 'hashedrekord', version: '0.0.2' }, integratedTime: '0' });
    expect(body.inclusionPromise).toBeUndefined();
    const { inclusionProof } = body;
    const proof = inclusionProof.hashes.map((hash) => Buffer.from(hash, 'base64'));
    const leaf = hashLeaf(Buffer.from(body.canonicalizedBody, 'base64'));
    const place = { index: Number(inclusionProof.logIndex), size: Number(inclusionProof.treeSize), proof };
    expect(rootByInclusion(leaf, place)?.toString('base64')).toBe(inclusionProof.rootHash);
    expect(readCheckpoint(inclusionProof.checkpoint.envelope)).toEqual({
      size: Number(inclusionProof.treeSize),
      root: inclusionProof.rootHash,
    });
  });

  test('can be audited by its tiles: the entries lead to the root of the checkpoint', async () => {
    for (let at = 0; at < 5; at += 1) await post(request(`audit ${at}`));
    const { size, root } = readCheckpoint(await (await fetch(`${log.url}/api/v2/checkpoint`)).text());
    const entries = splitTile(await tile(`entries/000.p/${size}`));
    expect(rootOf(entries.map(hashLeaf)).toString('base64')).toBe(root);
    expect(await tile(`0/000.p/${size}`)).toEqual(Buffer.concat(entries.map(hashLeaf)));
    expect((await fetch(`${log.url}/api/v2/tile/0/000.p/${size + 1}`)).status).toBe(404);
  });

  test('refuses a second entry with the same body', async () => {
    const asked = request('twice');
    await post(asked);
    expect(await post(asked)).toMatchObject({ status: 409, body: { code: 6 } });
  });

  test('refuses a signature over another digest, before it is logged', async () => {
    const size = log.size();
    expect(await post(request('two', { signed: 'three' }))).toMatchObject({ status: 400, body: { code: 3 } });
    expect(log.size()).toBe(size);
  });

  test('refuses the kind of entry that the real log no longer takes', async () => {
    const asked = { dsseRequestV002: { envelope: {}, verifiers: [] } };
    expect((await post(asked)).status).toBe(400);
  });

  test('refuses key details that do not fit the key', async () => {
    const asked = request('four', { keyDetails: 'PKIX_RSA_PKCS1V15_2048_SHA256' });
    expect((await post(asked)).status).toBe(400);
    expect((await post(request('four', { keyDetails: 'toString' }))).status).toBe(400);
  });
});

interface LogEntry {
  readonly kindVersion: object;
  readonly inclusionPromise?: object;
  readonly canonicalizedBody: string;
  readonly inclusionProof: {
    readonly logIndex: string;
    readonly treeSize: string;
    readonly rootHash: string;
    readonly hashes: readonly string[];
    readonly checkpoint: { readonly envelope: string };
  };
}

interface Variation {
  readonly signed?: string;
  readonly keyDetails?: string;
}

function request(data: string, { signed = data, keyDetails = 'PKIX_ECDSA_P256_SHA_256' }: Variation = {}): object {
  const digest = createHash('sha256').update(data).digest('base64');
  const content = sign('sha256', Buffer.from(signed), privateKey).toString('base64');
  const verifier = { publicKey: { rawBytes }, keyDetails };
  return { hashedRekordRequestV002: { digest, signature: { content, verifier } } };
}

async function post(body: object): Promise<{ status: number; body: LogEntry }> {
  const response = await fetch(`${log.url}/api/v2/log/entries`, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as LogEntry };
}

async function tile(path: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(`${log.url}/api/v2/tile/${path}`)).arrayBuffer());
}

function splitTile(bytes: Buffer): readonly Buffer[] {
  const entries: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 2 + bytes.readUInt16BE(at);
    entries.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return entries;
}

function readCheckpoint(text: string): { size: number; root: string } {
  const [note = '', signature = ''] = text.split('\n\n');
  const [origin, size, root = ''] = note.split('\n');
  const bytes = Buffer.from(signature.trim().split(' ')[2] ?? '', 'base64');
  const key = createPublicKey({ key: log.key.publicKey, format: 'der', type: 'spki' });
  expect(origin).toBe('127.0.0.1');
  expect(verify(null, Buffer.from(`${note}\n`), key, bytes.subarray(4))).toBe(true);
  return { size: Number(size), root };
}
