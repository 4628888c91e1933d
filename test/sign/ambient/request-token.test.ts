import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { isBoltsealError } from '../../../src/base/errors.ts';
import { endpointUrl, requestJsonToken } from '../../../src/sign/ambient/request-token.ts';
import { testContext } from '../../support/context.ts';
import { startEndpoint } from '../../support/endpoint.ts';
import { tokenOf } from '../../support/tokens.ts';

const BEARER = 'bearer-0123456789';
const TOKEN = tokenOf();

async function ask(answer: (response: ServerResponse) => void, context = testContext()): Promise<string> {
  await using endpoint = await startEndpoint(answer);
  return await requestJsonToken(
    {
      title: 'the test',
      url: new URL(`${endpoint.url}/token?secret=${BEARER}`),
      method: 'GET',
      headers: { authorization: `Bearer ${BEARER}` },
      secrets: [BEARER],
      requiredHeader: ['x-flavor', 'right'],
      hint: 'Do as the test says.',
      key: 'value',
      timeoutMs: 500,
    },
    context,
  );
}

function reply(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'x-flavor': 'right', ...headers }).end(body);
}

describe('asking for a token', () => {
  test('gives the text at the key', async () => {
    expect(await ask((response) => reply(response, 200, JSON.stringify({ value: TOKEN })))).toBe(TOKEN);
  });

  test('tries again when the endpoint has trouble', async () => {
    let asked = 0;
    const token = await ask((response) => {
      asked += 1;
      if (asked < 3) reply(response, 503, '');
      else reply(response, 200, JSON.stringify({ value: TOKEN }));
    });
    expect(token).toBe(TOKEN);
  });

  test.for<[string, (response: ServerResponse) => void, string]>([
    ['403', (response) => reply(response, 403, '{"message":"not for you"}'), 'HTTP 403: not for you'],
    ['500 to the end', (response) => reply(response, 500, 'oh'), 'HTTP 500: oh'],
    ['no JSON', (response) => reply(response, 200, `<p>${TOKEN}`), 'not the JSON it should be'],
    ['a key twice', (response) => reply(response, 200, '{"value":"a","value":"b"}'), 'not the JSON it should be'],
    ['another key', (response) => reply(response, 200, `{"token":"${TOKEN}"}`), 'value should be a string'],
    ['no text', (response) => reply(response, 200, '{"value":7}'), 'value should be a string'],
    ['another server', (response) => reply(response, 200, '{}', { 'x-flavor': 'wrong' }), 'another server'],
    ['a redirect', (response) => reply(response, 302, '', { location: '/elsewhere' }), 'was not given'],
    ['nothing', () => undefined, 'no answer within 0.5 s'],
    ['half an answer', (response) => void response.writeHead(200, { 'x-flavor': 'right' }).write('{'), 'within 0.5 s'],
  ])('rejects %s', { timeout: 15_000 }, async ([, answer, message]) => {
    await expect(ask(answer)).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
      message: expect.stringContaining(message),
      hint: 'Do as the test says.',
    });
  });

  test('rejects an answer that is too long', async () => {
    const long = JSON.stringify({ value: 'a'.repeat(2 ** 20) });
    await expect(ask((response) => reply(response, 200, long))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  test('never repeats a secret or a token', async () => {
    const answers: ((response: ServerResponse) => void)[] = [
      (response) => reply(response, 403, `${BEARER} ${TOKEN}`),
      (response) => reply(response, 200, `{"value": ${TOKEN}}`),
      (response) => reply(response, 200, `{"${TOKEN}": "${BEARER}"}`),
    ];
    for (const answer of answers) {
      const context = testContext();
      const error: unknown = await ask(answer, context).catch((thrown: unknown) => thrown);
      const told = [error, (error as Error).cause].map((part) => (part instanceof Error ? part.stack : '')).join('\n');
      expect(isBoltsealError(error, 'TOKEN_INVALID')).toBe(true);
      expect(`${told} ${JSON.stringify(context.events)}`).not.toMatch(/bearer-0123456789|eyJ/);
    }
  });

  test('ends when the run is interrupted', async () => {
    const stop = new AbortController();
    const context = testContext({ signal: stop.signal });
    await expect(ask(() => stop.abort(), context)).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});

describe('an endpoint of the environment', () => {
  test.for(['https://runner.example/token?a=b', 'http://127.0.0.1:8080/token', 'http://localhost/', 'http://[::1]:1/'])(
    'is asked at %s',
    (url) => {
      expect(endpointUrl(url, 'NAME').href).toBe(url);
    },
  );

  test.for([
    'http://runner.example/',
    'http://127.0.0.1.evil.example/',
    'https://user:word@runner.example/',
    'file:///x',
    '',
  ])('is not sent a secret at %s', (url) => {
    expect(() => endpointUrl(url, 'NAME')).toThrow(/^NAME is not an https URL/);
  });
});
