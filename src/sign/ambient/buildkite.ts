import { notOffered, variable, type AmbientProvider } from './provider.ts';
import { endpointUrl, requestJsonToken } from './request-token.ts';
import { runForToken } from './run-for-token.ts';

const DEFAULT_ENDPOINT = 'https://agent.buildkite.com/v3';
const HINT =
  'Check that the job still runs, and in a container that it is given BUILDKITE_AGENT_ACCESS_TOKEN and BUILDKITE_JOB_ID ' +
  '(docker plugin: propagate-environment) or the buildkite-agent program (mount-buildkite-agent).';

/**
 * Buildkite: the agent API's token endpoint, which `buildkite-agent oidc request-token` asks as well, or that program
 * where the job was not given what the endpoint wants.
 */
export const buildkite: AmbientProvider = {
  name: 'buildkite-agent',
  title: 'Buildkite',
  isPresent: (context) =>
    variable(context, 'BUILDKITE') === 'true' || variable(context, 'BUILDKITE_AGENT_ACCESS_TOKEN') !== undefined,
  async fetch(audience, context) {
    const bearer = variable(context, 'BUILDKITE_AGENT_ACCESS_TOKEN');
    const jobId = variable(context, 'BUILDKITE_JOB_ID');
    if (bearer === undefined || jobId === undefined) {
      if (!(await buildkite.isPresent(context))) throw notOffered(buildkite, 'BUILDKITE is not set');
      const args = ['oidc', 'request-token', '--audience', audience];
      return runForToken({ command: 'buildkite-agent', args, hint: HINT }, context);
    }
    const endpoint = variable(context, 'BUILDKITE_AGENT_ENDPOINT') ?? DEFAULT_ENDPOINT;
    const url = endpointUrl(endpoint, 'BUILDKITE_AGENT_ENDPOINT');
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/jobs/${encodeURIComponent(jobId)}/oidc/tokens`;
    return requestJsonToken(
      {
        title: buildkite.title,
        url,
        method: 'POST',
        headers: { accept: 'application/json', 'content-type': 'application/json', authorization: `Token ${bearer}` },
        body: JSON.stringify({ audience }),
        secrets: [bearer],
        hint: HINT,
        key: 'token',
      },
      context,
    );
  },
};
