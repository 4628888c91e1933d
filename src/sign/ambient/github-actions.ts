import { notOffered, variable, type AmbientProvider } from './provider.ts';
import { endpointUrl, requestJsonToken } from './request-token.ts';

const URL_VARIABLE = 'ACTIONS_ID_TOKEN_REQUEST_URL';
const BEARER_VARIABLE = 'ACTIONS_ID_TOKEN_REQUEST_TOKEN';
const ADVICE =
  'Let this GitHub Actions job request identity tokens with "permissions: id-token: write"; ' +
  'a pull request from a fork cannot have that.';

/** GitHub Actions, "OpenID Connect reference": the job's own endpoint gives a token for the audience asked for. */
export const githubActions: AmbientProvider = {
  name: 'github-actions',
  title: 'GitHub Actions',
  isPresent: (context) => [URL_VARIABLE, BEARER_VARIABLE].every((name) => variable(context, name) !== undefined),
  async fetch(audience, context) {
    const endpoint = variable(context, URL_VARIABLE);
    const bearer = variable(context, BEARER_VARIABLE);
    if (endpoint === undefined || bearer === undefined)
      throw notOffered(githubActions, `${endpoint === undefined ? URL_VARIABLE : BEARER_VARIABLE} is not set`, ADVICE);
    const url = endpointUrl(endpoint, URL_VARIABLE);
    url.searchParams.set('audience', audience);
    return requestJsonToken(
      {
        title: githubActions.title,
        url,
        method: 'GET',
        headers: { accept: 'application/json', authorization: `Bearer ${bearer}` },
        secrets: [bearer],
        hint: `${ADVICE} Otherwise see whether GitHub has an incident, and run the job again.`,
        key: 'value',
      },
      context,
    );
  },
  advice: (_audience, context) => (variable(context, 'GITHUB_ACTIONS') === 'true' ? ADVICE : undefined),
};
