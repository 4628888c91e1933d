import { expect, test } from 'vitest';
import { gitlab } from '../../../src/sign/ambient/gitlab.ts';
import { testContext } from '../../support/context.ts';

const JOB = { GITLAB_CI: 'true' };

test('gives the token that id_tokens put into the environment', async () => {
  const context = testContext({ env: { ...JOB, SIGSTORE_ID_TOKEN: 'token' } });
  expect(gitlab.isPresent(context)).toBe(true);
  expect(await gitlab.fetch('sigstore', context)).toBe('token');
  expect(gitlab.advice?.('sigstore', context)).toBeUndefined();
});

test.for([JOB, { ...JOB, SIGSTORE_ID_TOKEN: '' }, { ...JOB, CI_JOB_JWT_V2: 'token' }])(
  'is not present in %o, and says how to ask for a token',
  async (env) => {
    const context = testContext({ env });
    expect(gitlab.isPresent(context)).toBe(false);
    expect(gitlab.advice?.('my-audience', context)).toContain('id_tokens: { SIGSTORE_ID_TOKEN: { aud: my-audience } }');
    await expect(gitlab.fetch('sigstore', context)).rejects.toMatchObject({ code: 'TOKEN_MISSING' });
  },
);

test('says why the old variable will not do', () => {
  const context = testContext({ env: { ...JOB, CI_JOB_JWT_V2: 'token' } });
  expect(gitlab.advice?.('sigstore', context)).toContain('CI_JOB_JWT will not do');
});

test('leaves SIGSTORE_ID_TOKEN outside GitLab to others', () => {
  expect(gitlab.isPresent(testContext({ env: { SIGSTORE_ID_TOKEN: 'token' } }))).toBe(false);
});
