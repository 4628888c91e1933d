import { expect, test } from 'vitest';
import { circleci } from '../../../src/sign/ambient/circleci.ts';
import { testContext } from '../../support/context.ts';
import { withProgram } from '../../support/program.ts';

const JOB = { CIRCLECI: 'true', CIRCLE_OIDC_TOKEN_V2: 'for the organisation' };

test('asks for a token with the audience', async () => {
  await using program = await withProgram('circleci', 'printf "%s|" "$@"');
  const context = testContext({ env: { ...JOB, PATH: program.path } });
  expect(circleci.isPresent(context)).toBe(true);
  expect(await circleci.fetch('sig"store', context)).toBe('run|oidc|get|--claims|{"aud":"sig\\"store"}|');
});

test('says what to do where its program is not', async () => {
  await expect(circleci.fetch('sigstore', testContext({ env: { ...JOB, PATH: '' } }))).rejects.toMatchObject({
    code: 'TOKEN_MISSING',
    hint: expect.stringContaining('step of the job'),
  });
});

test('is not present in a job that may have no token, and says so', () => {
  const context = testContext({ env: { CIRCLECI: 'true' } });
  expect(circleci.isPresent(context)).toBe(false);
  expect(circleci.advice?.('sigstore', context)).toContain('circleci run oidc get --claims');
});

test('is not present elsewhere', async () => {
  const context = testContext({ env: { CIRCLE_OIDC_TOKEN_V2: 'token' } });
  expect(circleci.isPresent(context)).toBe(false);
  expect(circleci.advice?.('sigstore', context)).toBeUndefined();
  await expect(circleci.fetch('sigstore', context)).rejects.toMatchObject({ code: 'TOKEN_MISSING' });
});
