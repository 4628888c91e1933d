import type { ServerHttp2Stream } from 'node:http2';
import { describe, expect, test } from 'vitest';
import { decodeJwtSvidResponse, encodeJwtSvidRequest } from '../../../src/sign/ambient/jwt-svid-message.ts';
import { spiffe } from '../../../src/sign/ambient/spiffe.ts';
import { fetchJwtSvids } from '../../../src/sign/ambient/workload-api.ts';
import { testContext } from '../../support/context.ts';
import { tokenOf } from '../../support/tokens.ts';
import { field, reply, startAgent, svidResponse } from '../../support/workload-api.ts';

const TOKEN = tokenOf({ sub: 'spiffe://example.org/job' });
const ONE = svidResponse(['spiffe://example.org/job', TOKEN]);

describe('the SPIFFE Workload API', () => {
  test.for([false, true])('gives a JWT-SVID for the audience (over TCP: %s)', async (tcp) => {
    await using agent = await startAgent((stream) => reply(stream, ONE), { tcp });
    const context = testContext({ env: { SPIFFE_ENDPOINT_SOCKET: agent.endpoint } });
    expect(spiffe.isPresent(context)).toBe(true);
    expect(await spiffe.fetch('sigstore', context)).toBe(TOKEN);
    const [call] = agent.calls;
    expect(call?.headers).toMatchObject({
      ':method': 'POST',
      ':path': '/SpiffeWorkloadAPI/FetchJWTSVID',
      'content-type': 'application/grpc',
      'workload.spiffe.io': 'true',
    });
    expect(call?.body.toString('latin1')).toBe('\0\0\0\0\x0A\x0A\x08sigstore');
  });

  test('takes the first identity, and says that there are others', async () => {
    const two = svidResponse(['spiffe://example.org/job', TOKEN], ['spiffe://example.org/other', 'other']);
    await using agent = await startAgent((stream) => reply(stream, two));
    const context = testContext({ env: { SPIFFE_ENDPOINT_SOCKET: agent.endpoint } });
    expect(await spiffe.fetch('sigstore', context)).toBe(TOKEN);
    expect(context.events).toMatchObject([
      { kind: 'warning', message: expect.stringContaining('spiffe://example.org/other') },
    ]);
  });

  test.for<[string, (stream: ServerHttp2Stream) => void, RegExp]>([
    ['no identity', (stream) => reply(stream, Buffer.alloc(0)), /knows no identity/],
    [
      'a refusal',
      (stream) => reply(stream, Buffer.alloc(0), { 'grpc-status': '7', 'grpc-message': `n%C3%B6ne%1B%5B2J ${TOKEN}` }),
      /PermissionDenied: nöne \[2J \[redacted\]$/,
    ],
    [
      'a refusal without a body',
      (stream) => stream.respond({ ':status': 200, 'grpc-status': '14' }, { endStream: true }),
      /Unavailable$/,
    ],
    [
      'words it did not encode',
      (stream) => reply(stream, Buffer.alloc(0), { 'grpc-status': '14', 'grpc-message': '100%' }),
      /Unavailable: 100%$/,
    ],
    ['a status it makes up', (stream) => reply(stream, ONE, { 'grpc-status': '99' }), /gRPC status 99$/],
    ['no status', (stream) => reply(stream, ONE, {}), /not an answer of gRPC/],
    ['plain HTTP', (stream) => stream.respond({ ':status': 404 }, { endStream: true }), /HTTP 404/],
    ['a message cut short', (stream) => reply(stream, ONE.subarray(0, -1)), /ends after the message/],
    [
      'a compressed message',
      (stream) => {
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(Buffer.from([1, 0, 0, 0, 0]));
      },
      /not one uncompressed gRPC message/,
    ],
    ['a broken stream', (stream) => stream.close(2), /INTERNAL_ERROR/],
    ['nothing', () => undefined, /no answer within 0.3 s/],
    ['an answer without end', (stream) => reply(stream, Buffer.alloc(2 ** 20)), /more than 1048576 bytes/],
  ])('is refused when it gives %s', async ([, answer, message]) => {
    await using agent = await startAgent(answer);
    const request = { endpoint: agent.endpoint, audience: 'sigstore', timeoutMs: 300 };
    const context = testContext({ env: { SPIFFE_ENDPOINT_SOCKET: agent.endpoint } });
    const asked =
      message.source === 'knows no identity' ? spiffe.fetch('sigstore', context) : fetchJwtSvids(request, context);
    await expect(asked).rejects.toMatchObject({ code: 'TOKEN_INVALID', message: expect.stringMatching(message) });
  });

  test.for(['unix:///nowhere/agent.sock', 'tcp://127.0.0.1:1'])(
    'that is not at %s leads to a hint',
    async (endpoint) => {
      await expect(fetchJwtSvids({ endpoint, audience: 'sigstore' }, testContext())).rejects.toMatchObject({
        code: 'TOKEN_INVALID',
        message: expect.stringMatching(/ENOENT|ECONNREFUSED/),
        hint: expect.stringContaining('SPIFFE_ENDPOINT_SOCKET'),
      });
    },
  );

  test.for([
    '/tmp/agent.sock',
    'unix://host/agent.sock',
    'tcp://agent.example:80',
    'tcp://127.0.0.1',
    'http://127.0.0.1:1',
    '',
  ])('is not looked for at "%s"', async (endpoint) => {
    await expect(fetchJwtSvids({ endpoint, audience: 'sigstore' }, testContext())).rejects.toThrow(/neither unix/);
  });

  test('is left when the run is interrupted', async () => {
    const stop = new AbortController();
    await using agent = await startAgent(() => stop.abort());
    const asked = fetchJwtSvids(
      { endpoint: agent.endpoint, audience: 'sigstore' },
      testContext({ signal: stop.signal }),
    );
    await expect(asked).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  test('is not present without its variable', async () => {
    expect(spiffe.isPresent(testContext())).toBe(false);
    await expect(spiffe.fetch('sigstore', testContext())).rejects.toMatchObject({ code: 'TOKEN_MISSING' });
  });
});

describe('its messages', () => {
  test('carry an audience longer than one byte of length', () => {
    const long = 'a'.repeat(300);
    expect(encodeJwtSvidRequest(long)).toEqual(field(1, long));
  });

  test('may have fields that are not known yet', () => {
    const unknown = Buffer.from([
      0x18,
      0xff,
      0x01,
      0x21,
      ...Buffer.alloc(8),
      0x2d,
      ...Buffer.alloc(4),
      0x32,
      0x01,
      0x41,
    ]);
    expect(decodeJwtSvidResponse(Buffer.concat([unknown, ONE, unknown]))).toEqual([
      { spiffeId: 'spiffe://example.org/job', token: TOKEN },
    ]);
  });

  test.for([
    ['0a', /ends inside a number/],
    ['0aff', /ends inside a number/],
    ['0a05', /ends after/],
    ['0b', /wire type 3/],
    ['0affffffffffffffffff7f', /ends after/],
    ['ffffffffffffffffffffff', /more than 10 bytes/],
    ['21000000', /ends after/],
  ] as const)('are refused when they are %s', ([hex, message]) => {
    expect(() => decodeJwtSvidResponse(Buffer.from(hex, 'hex'))).toThrow(message);
  });
});
