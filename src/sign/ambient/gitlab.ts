import { TOKEN_VARIABLE } from './environment.ts';
import { notOffered, variable, type AmbientProvider } from './provider.ts';

/**
 * GitLab CI/CD: `id_tokens` puts a token of the job's choosing into a variable; SIGSTORE_ID_TOKEN is the name GitLab's own
 * documentation and every Sigstore client use. The older CI_JOB_JWT and CI_JOB_JWT_V2 (removed in GitLab 17.0) are not
 * read: their audience is the GitLab server, and no certificate authority takes them.
 */
export const gitlab: AmbientProvider = {
  name: 'gitlab',
  title: 'GitLab CI',
  isPresent: (context) => isJob(context) && variable(context, TOKEN_VARIABLE) !== undefined,
  fetch: (audience, context) => {
    const token = variable(context, TOKEN_VARIABLE);
    return isJob(context) && token !== undefined
      ? Promise.resolve(token)
      : Promise.reject(notOffered(gitlab, `the job has no ${TOKEN_VARIABLE}`, adviceFor(audience, context)));
  },
  advice: (audience, context) =>
    isJob(context) && variable(context, TOKEN_VARIABLE) === undefined ? adviceFor(audience, context) : undefined,
};

function isJob(context: Parameters<AmbientProvider['isPresent']>[0]): boolean {
  return variable(context, 'GITLAB_CI') === 'true';
}

function adviceFor(audience: string, context: Parameters<AmbientProvider['isPresent']>[0]): string {
  const legacy =
    (variable(context, 'CI_JOB_JWT_V2') ?? variable(context, 'CI_JOB_JWT')) === undefined
      ? ''
      : ' (CI_JOB_JWT will not do: it is meant for the GitLab server itself)';
  return `Give this GitLab job a token in .gitlab-ci.yml: "id_tokens: { ${TOKEN_VARIABLE}: { aud: ${audience} } }"${legacy}.`;
}
