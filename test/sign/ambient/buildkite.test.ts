import { expect, test } from 'vitest';
import { buildkite } from '../../../src/sign/ambient/buildkite.ts';
import { testContext } from '../../support/context.ts';
import { startEndpoint } from '../../support/endpoint.ts';
import { withProgram } from '../../support/program.ts';
import { tokenOf } from '../../support/tokens.ts';

const ACCESS = { BUILDKITE: 'true', BUILDKITE_AGENT_ACCESS_TOKEN: 'agent-secret-1', BUILDKITE_JOB_ID: 'job/1' };

test('asks the agent API with the token of the job', async () => {
  const token = tokenOf();
  await using endpoint = await startEndpoint((response) => response.end(JSON.stringify({ token })));
  const context = testContext({ env: { ...ACCESS, BUILDKITE_AGENT_ENDPOINT: `${endpoint.url}/v3/` } });
  expect(buildkite.isPresent(context)).toBe(true);
  expect(await buildkite.fetch('sigstore', context)).toBe(token);
  expect(endpoint.requests).toMatchObject([
    {
      method: 'POST',
      path: '/v3/jobs/job%2F1/oidc/tokens',
      body: '{"audience":"sigstore"}',
      headers: { authorization: 'Token agent-secret-1', 'content-type': 'application/json' },
    },
  ]);
});

test('rejects a refusal of the agent API, without repeating the token of the job', async () => {
  await using endpoint = await startEndpoint((response) =>
    response.writeHead(401).end('{"message":"bad token agent-secret-1"}'),
  );
  const context = testContext({ env: { ...ACCESS, BUILDKITE_AGENT_ENDPOINT: endpoint.url } });
  await expect(buildkite.fetch('sigstore', context)).rejects.toMatchObject({
    code: 'TOKEN_INVALID',
    message: expect.stringMatching(/HTTP 401: bad token \[redacted\]$/),
  });
});

test('runs the agent where the job was not given its token', async () => {
  await using program = await withProgram('buildkite-agent', 'echo "$@"');
  const context = testContext({ env: { BUILDKITE: 'true', PATH: program.path } });
  expect(await buildkite.fetch('a; b', context)).toBe('oidc request-token --audience a; b');
});

test('is not present outside Buildkite', async () => {
  expect(buildkite.isPresent(testContext())).toBe(false);
  await expect(buildkite.fetch('sigstore', testContext())).rejects.toMatchObject({ code: 'TOKEN_MISSING' });
});
