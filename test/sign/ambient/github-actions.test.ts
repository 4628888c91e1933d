import { expect, test } from 'vitest';
import { githubActions } from '../../../src/sign/ambient/github-actions.ts';
import { testContext } from '../../support/context.ts';
import { startEndpoint } from '../../support/endpoint.ts';
import { tokenOf } from '../../support/tokens.ts';

test('asks the endpoint of the job for a token with the audience', async () => {
  const token = tokenOf();
  await using endpoint = await startEndpoint((response) => response.end(JSON.stringify({ count: 1, value: token })));
  const env = {
    ACTIONS_ID_TOKEN_REQUEST_URL: `${endpoint.url}/run/idtoken?api-version=2.0&audience=default`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'bearer',
  };
  const context = testContext({ env });
  expect(githubActions.isPresent(context)).toBe(true);
  expect(await githubActions.fetch('a b&c', context)).toBe(token);
  expect(endpoint.requests).toMatchObject([
    { path: '/run/idtoken?api-version=2.0&audience=a+b%26c', headers: { authorization: 'Bearer bearer' } },
  ]);
});

test.for([
  { GITHUB_ACTIONS: 'true' },
  { GITHUB_ACTIONS: 'true', ACTIONS_ID_TOKEN_REQUEST_URL: 'https://x.example', ACTIONS_ID_TOKEN_REQUEST_TOKEN: '' },
])('is not present in a job without the permission, and says which: %o', async (env) => {
  const context = testContext({ env });
  expect(githubActions.isPresent(context)).toBe(false);
  expect(githubActions.advice?.('sigstore', context)).toContain('permissions: id-token: write');
  await expect(githubActions.fetch('sigstore', context)).rejects.toMatchObject({
    code: 'TOKEN_MISSING',
    hint: expect.stringContaining('permissions: id-token: write'),
  });
});

test('rejects an endpoint that would get the bearer over plain http', async () => {
  const env = { ACTIONS_ID_TOKEN_REQUEST_URL: 'http://192.0.2.1/', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'bearer' };
  await expect(githubActions.fetch('sigstore', testContext({ env }))).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
});

test('says nothing about GitHub elsewhere', () => {
  expect(githubActions.advice?.('sigstore', testContext())).toBeUndefined();
});
