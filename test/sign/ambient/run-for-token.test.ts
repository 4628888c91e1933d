import { describe, expect, test } from 'vitest';
import { runForToken } from '../../../src/sign/ambient/run-for-token.ts';
import { testContext } from '../../support/context.ts';
import { withProgram } from '../../support/program.ts';
import { tokenOf } from '../../support/tokens.ts';

async function run(script: string, overrides: Parameters<typeof testContext>[0] = {}): Promise<string> {
  await using program = await withProgram('ci-agent', script);
  const request = { command: 'ci-agent', args: ['get', '$(id)'], hint: 'Do as the test says.', timeoutMs: 1000 };
  return await runForToken(request, testContext({ env: { PATH: program.path }, ...overrides }));
}

describe('a program that gives a token', { timeout: 10_000 }, () => {
  test('is run without a shell, in the environment of the run and no other', async () => {
    expect(await run('echo "$2 $HOME."')).toBe('$(id) .');
  });

  test.for([
    ['fails', 'echo "nope" >&2; exit 3', 'exit code 3: nope'],
    ['fails and shows a token', `echo "${tokenOf()}" >&2; exit 1`, 'exit code 1: [redacted]'],
    ['fails with a token on its output', `echo "${tokenOf()}"; exit 1`, 'exit code 1'],
    ['hangs', 'sleep 30', 'it did not end within 1 s'],
    ['writes without end', 'yes', 'it wrote more than 1048576 bytes'],
  ] as const)('is refused when it %s', async ([, script, message]) => {
    const error: unknown = await run(script).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'TOKEN_INVALID', message: `ci-agent gave no identity token: ${message}` });
    expect((error as Error).cause).toBeUndefined();
  });

  test('is missing when it is not in PATH', async () => {
    await expect(run('', { env: { PATH: '' } })).rejects.toMatchObject({
      code: 'TOKEN_MISSING',
      hint: 'Do as the test says.',
    });
  });

  test('ends when the run is interrupted', async () => {
    const signal = AbortSignal.timeout(50);
    await expect(run('sleep 30', { signal })).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});
