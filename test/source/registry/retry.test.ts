import { describe, expect, test } from 'vitest';
import { parseChallenges } from '../../../src/source/registry/challenge.ts';
import { retryAfterMs } from '../../../src/source/registry/retry.ts';
import { mergeScopes } from '../../../src/source/registry/scope.ts';
import { testContext } from '../../support/context.ts';
import type { Answer } from '../../support/http-server.ts';
import { codeOf, openAt, pushImage } from '../../support/open-registry.ts';
import { startRegistry, type TestRegistry } from '../../support/registry-server.ts';

/** Fails so many requests in one way, then serves. */
function failFirst(registry: TestRegistry, times: number, answer: Answer): void {
  let failures = 0;
  registry.behaviour.fault = () => ((failures += 1) <= times ? answer : undefined);
}

describe.concurrent('a request that failed', () => {
  test.each([
    ['429 with seconds', { status: 429, headers: { 'retry-after': '0' } }],
    ['429 with a date', { status: 429, headers: { 'retry-after': 'Fri, 20 Nov 2026 09:59:00 GMT' } }],
    ['503', { status: 503 }],
    ['500', { status: 500 }],
    ['a reset connection', { status: 200, body: 'x'.repeat(100), cutAfterBytes: 0 }],
  ] satisfies (readonly [string, Answer])[])('by %s is made again', async (_, answer) => {
    await using registry = await startRegistry();
    const image = await pushImage(openAt(registry.host));
    failFirst(registry, 1, answer);
    expect(await openAt(registry.host, { suffix: ':1' }).resolve()).toBe(image.digest);
  });

  test.each([
    [{ status: 429, headers: { 'retry-after': '0' } }, 'REGISTRY_RATE_LIMITED', 5],
    [{ status: 502 }, 'REGISTRY_ERROR', 5],
    [{ status: 429, headers: { 'retry-after': '86400' } }, 'REGISTRY_RATE_LIMITED', 1],
    [{ status: 403 }, 'REGISTRY_DENIED', 1],
    [{ status: 400 }, 'REGISTRY_ERROR', 1],
  ] as const)('by %j ends as %s after %i attempts', async (answer, code, attempts) => {
    await using registry = await startRegistry({ fault: () => answer });
    const digest = `sha256:${'0'.repeat(64)}` as const;
    const source = openAt(registry.host, { suffix: `@${digest}` });
    expect(await codeOf(source.resolve().then((found) => source.readManifest(found)))).toBe(code);
    expect(registry.requests).toHaveLength(attempts);
  });

  test('waits no longer than until it is interrupted', async () => {
    await using registry = await startRegistry({ fault: () => ({ status: 429, headers: { 'retry-after': '30' } }) });
    const controller = new AbortController();
    const context = testContext({ signal: controller.signal });
    const resolving = codeOf(openAt(registry.host, { suffix: ':1', context }).resolve());
    setTimeout(() => controller.abort(), 50);
    expect(await resolving).toBe('INTERRUPTED');
  });
});

const now = new Date('2026-11-20T10:00:00Z');
test.each([
  [undefined, undefined],
  ['0', 0],
  ['60', 60_000],
  ['Fri, 20 Nov 2026 10:00:30 GMT', 30_000],
  ['Fri, 20 Nov 2026 09:00:00 GMT', 0],
  ['soon', undefined],
])('Retry-After %s means %s ms', (header, expected) => {
  expect(retryAfterMs(header, now)).toBe(expected);
});

describe('a challenge', () => {
  test('is read with quoted pairs, commas in values, and others around it', () => {
    const header =
      'Basic realm="a, b=\\"c\\"", Negotiate, Bearer realm="https://auth.example.org/token",service=registry , scope="repository:x:pull,push repository:y:pull",error="insufficient_scope"';
    expect(parseChallenges(header)).toEqual([
      { scheme: 'basic', parameters: { realm: 'a, b="c"' } },
      { scheme: 'negotiate', parameters: {} },
      {
        scheme: 'bearer',
        parameters: {
          realm: 'https://auth.example.org/token',
          service: 'registry',
          scope: 'repository:x:pull,push repository:y:pull',
          error: 'insufficient_scope',
        },
      },
    ]);
  });
  test('keeps the first of two values, so that an appended one changes nothing', () => {
    expect(parseChallenges('Bearer realm="https://a/", realm="https://b/"')[0]?.parameters['realm']).toBe('https://a/');
  });
  test.each(['', 'Bearer', '"', ',,,', 'Bearer realm="unterminated'])('%j is no reason to fail', (header) => {
    expect(() => parseChallenges(header)).not.toThrow();
  });
});

test('scopes of one repository become one, the first stays first', () => {
  expect(mergeScopes(['repository:a/b:pull', 'repository:c:pull repository:a/b:push,pull', ''])).toEqual([
    'repository:a/b:pull,push',
    'repository:c:pull',
  ]);
});
