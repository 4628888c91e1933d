import { createHash } from 'node:crypto';
import { RFC3161Timestamp } from '@sigstore/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTimestampAuthority, type TimestampAuthority } from '../../../src/sandbox/sigstore/timestamp-authority.ts';
import { testContext } from '../../support/context.ts';

const hash = createHash('sha256').update('data').digest();
/** TimeStampReq for `hash`, with a nonce of 1 and with certificates, as OpenSSL writes it. */
const query = Buffer.concat([
  Buffer.from('303c0201013031300d060960864801650304020105000420', 'hex'),
  hash,
  Buffer.from('0201010101ff', 'hex'),
]);
let authority: TimestampAuthority;

beforeAll(async () => {
  authority = await startTimestampAuthority(0, testContext({ now: () => new Date('2031-01-02T03:04:05.678Z') }));
});
afterAll(() => authority[Symbol.asyncDispose]());

describe('the timestamp authority', () => {
  test.for([
    ['application/json', JSON.stringify({ artifactHash: hash.toString('base64'), hashAlgorithm: 'sha256' })],
    ['application/timestamp-query', query],
  ] as const)('stamps what it is asked for as %s, by the sandbox’s clock', async ([type, body]) => {
    const response = await ask(type, body);
    expect(response.status).toBe(201);
    const stamp = RFC3161Timestamp.parse(Buffer.from(await response.arrayBuffer()));
    expect(stamp.tstInfo.messageImprintHashedMessage).toEqual(hash);
    expect(stamp.tstInfo.genTime).toEqual(new Date('2031-01-02T03:04:05.000Z'));
  });

  test.for([
    ['a hash of the wrong length', 'application/json', '{"artifactHash":"AAAA","hashAlgorithm":"sha256"}', 400],
    ['a hash that is broken', 'application/json', '{"artifactHash":"AAAA","hashAlgorithm":"md5"}', 400],
    ['a query that is cut short', 'application/timestamp-query', query.subarray(0, 40), 400],
    ['text', 'text/plain', 'stamp this', 415],
  ] as const)('refuses %s', async ([, type, body, status]) => {
    expect((await ask(type, body)).status).toBe(status);
  });
});

async function ask(type: string, body: string | Buffer): Promise<Response> {
  return fetch(authority.endpoint, {
    method: 'POST',
    headers: { 'content-type': type },
    body: typeof body === 'string' ? body : Uint8Array.from(body),
  });
}
