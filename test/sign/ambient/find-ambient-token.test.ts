import { describe, expect, test } from 'vitest';
import type { Context } from '../../../src/base/context.ts';
import { BoltsealError } from '../../../src/base/errors.ts';
import { findAmbientToken } from '../../../src/sign/ambient/find-ambient-token.ts';
import type { AmbientProvider } from '../../../src/sign/ambient/provider.ts';
import { AMBIENT_PROVIDERS } from '../../../src/sign/ambient/providers.ts';
import { testContext } from '../../support/context.ts';

const first = provider('first', { advice: () => 'Give the first a token.' });
const second = provider('second');
const third = provider('third');
const providers = [first, second, third];

function provider(name: string, overrides: Partial<AmbientProvider> = {}): AmbientProvider {
  return {
    name,
    title: `The ${name}`,
    isPresent: ({ env }: Context) => env[name] !== undefined,
    fetch: (audience) => Promise.resolve(`${name} for ${audience}`),
    ...overrides,
  };
}

describe('of several providers', () => {
  test('the first that is present is asked', async () => {
    const found = await findAmbientToken({ audience: 'x', providers }, testContext({ env: { second: '', third: '' } }));
    expect(found).toEqual({ text: 'second for x', origin: 'The second' });
  });

  test('one that fails is the end, and the hint says how to choose another', async () => {
    const failing = provider('second', {
      fetch: () => Promise.reject(new BoltsealError('TOKEN_INVALID', 'no', { hint: 'Ask again.' })),
    });
    const context = testContext({ env: { second: '', third: '' } });
    const found = findAmbientToken({ audience: 'x', providers: [first, failing, third] }, context);
    await expect(found).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
      hint: expect.stringMatching(/^Ask again\. .*--oidc-provider .*--oidc-disable-ambient-providers/),
    });
  });

  test('none may be present', async () => {
    expect(await findAmbientToken({ audience: 'x', providers }, testContext())).toBeUndefined();
  });

  test('the one chosen is asked, present or not', async () => {
    const context = testContext({ env: { first: '' } });
    const found = await findAmbientToken({ audience: 'x', providers, provider: 'third' }, context);
    expect(found).toEqual({ text: 'third for x', origin: 'The third' });
  });

  test('one that does not exist is a usage error that names those that do', async () => {
    const found = findAmbientToken({ audience: 'x', providers, provider: 'fourth' }, testContext());
    await expect(found).rejects.toMatchObject({ code: 'USAGE', hint: 'Choose one of first, second, third.' });
  });

  test('one that was passed over in its own surroundings is warned of', async () => {
    const context = testContext({ env: { second: '' } });
    await findAmbientToken({ audience: 'x', providers }, context);
    expect(context.events.filter(({ kind }) => kind === 'warning')).toMatchObject([
      { message: 'The first offers this run no identity token, so The second is asked. Give the first a token.' },
    ]);
  });

  test('one that is asked is not warned of', async () => {
    const context = testContext({ env: { first: '', second: '' } });
    await findAmbientToken({ audience: 'x', providers }, context);
    expect(context.events).toEqual([]);
  });
});

test('the names are those of cosign where it has the provider, and what was put there comes before the machine', () => {
  expect(AMBIENT_PROVIDERS.map(({ name }) => name)).toEqual([
    'gitlab',
    'envvar',
    'filesystem',
    'github-actions',
    'buildkite-agent',
    'circleci',
    'spiffe',
    'google',
  ]);
});

test('SIGSTORE_ID_TOKEN is taken before what the CI system offers, without a warning', async () => {
  const env = { SIGSTORE_ID_TOKEN: 'token', GITHUB_ACTIONS: 'true', CIRCLECI: 'true' };
  const context = testContext({ env });
  expect(await findAmbientToken({ audience: 'sigstore' }, context)).toEqual({
    text: 'token',
    origin: 'SIGSTORE_ID_TOKEN',
  });
  expect(context.events.filter(({ kind }) => kind === 'warning')).toEqual([]);
});

test('SIGSTORE_ID_TOKEN that is empty is none', async () => {
  const found = findAmbientToken(
    { audience: 'sigstore', provider: 'envvar' },
    testContext({ env: { SIGSTORE_ID_TOKEN: '' } }),
  );
  await expect(found).rejects.toMatchObject({ code: 'TOKEN_MISSING' });
});
