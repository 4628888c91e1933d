import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { HashAlgorithm } from '@sigstore/protobuf-specs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { schemeOf } from '../../src/sign/key/scheme.ts';
import { logMessage } from '../../src/sign/rekor-v1-message.ts';
import { testContext } from '../support/context.ts';
import { json, send, startServer } from '../support/http-server.ts';

const context = testContext({ now: () => new Date() });
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const verifierPem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({}, context);
});
afterAll(() => sandbox[Symbol.asyncDispose]());

function signed(text: string): Parameters<typeof logMessage>[0] {
  const digest = createHash('sha384').update(text).digest();
  const signature = sign('sha384', Buffer.from(text), privateKey);
  return { messageDigest: { algorithm: HashAlgorithm.SHA2_384, digest }, signature };
}

test('an entry that is in the log already is fetched and used', async () => {
  const message = signed('a file');
  const { url } = sandbox.services.rekorV1;
  const first = await logMessage(message, { url, verifierPem }, context);
  const again = await logMessage(message, { url, verifierPem }, context);
  expect(again.logIndex).toBe(first.logIndex);
  expect(again.canonicalizedBody).toEqual(first.canonicalizedBody);
});

test('an entry that is said to be elsewhere, at another origin, is not fetched', async () => {
  const { url } = sandbox.services.rekorV1;
  const message = signed('another file');
  await logMessage(message, { url, verifierPem }, context);
  await using liar = await startServer((_request, response) =>
    send(response, json(409, { message: 'there already' }, { location: `${url}/api/v1/log/entries?logIndex=0` })),
  );
  await expect(logMessage(message, { url: liar.origin, verifierPem }, context)).rejects.toMatchObject({
    code: 'REKOR_FAILED',
    message: expect.stringContaining('HTTP 409'),
  });
});

test('an entry about another signature is refused', async () => {
  const { url } = sandbox.services.rekorV1;
  const other = await logMessage(signed('something else'), { url, verifierPem }, context);
  const proof = { logIndex: 0, treeSize: 1, rootHash: '', hashes: [], checkpoint: '' };
  const verification = { signedEntryTimestamp: '', inclusionProof: proof };
  const body = other.canonicalizedBody.toString('base64');
  const entry = { body, logIndex: 0, logID: '', integratedTime: 1, verification };
  await using liar = await startServer((_request, response) => send(response, json(201, { uuid: entry })));
  await expect(logMessage(signed('a file'), { url: liar.origin, verifierPem }, context)).rejects.toMatchObject({
    code: 'REKOR_FAILED',
    message: expect.stringContaining('about another signature'),
  });
});

test('an RSA key with the exponent 3 does not sign', () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).publicKey;
  expect(() => schemeOf(weak, 'the key')).toThrow(/exponent 3 instead/);
});
