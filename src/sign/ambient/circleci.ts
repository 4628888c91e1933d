import { notOffered, variable, type AmbientProvider } from './provider.ts';
import { runForToken } from './run-for-token.ts';

const HINT =
  'Run this as a step of the job itself, where the circleci program is; in a container started by the job, ' +
  'get a token before and hand it in as SIGSTORE_ID_TOKEN.';

/**
 * CircleCI: the tokens in the job's environment are for the organisation's own audience, so one for this audience is asked
 * of `circleci run oidc get` ("OIDC tokens with custom claims"). They are what tells that the job may have tokens at all.
 */
export const circleci: AmbientProvider = {
  name: 'circleci',
  title: 'CircleCI',
  isPresent: (context) =>
    variable(context, 'CIRCLECI') === 'true' &&
    (variable(context, 'CIRCLE_OIDC_TOKEN_V2') ?? variable(context, 'CIRCLE_OIDC_TOKEN')) !== undefined,
  async fetch(audience, context) {
    if (variable(context, 'CIRCLECI') !== 'true') throw notOffered(circleci, 'CIRCLECI is not set');
    const args = ['run', 'oidc', 'get', '--claims', JSON.stringify({ aud: audience })];
    return runForToken({ command: 'circleci', args, hint: HINT }, context);
  },
  advice: (audience, context) =>
    variable(context, 'CIRCLECI') === 'true'
      ? 'This CircleCI job was given no OIDC token; set SIGSTORE_ID_TOKEN from ' +
        `circleci run oidc get --claims '{"aud":"${audience}"}' in a step of the job.`
      : undefined,
};
