import { buildkite } from './buildkite.ts';
import { circleci } from './circleci.ts';
import { environment } from './environment.ts';
import { fileProvider } from './file.ts';
import { githubActions } from './github-actions.ts';
import { gitlab } from './gitlab.ts';
import { googleProvider } from './google.ts';
import type { AmbientProvider } from './provider.ts';
import { spiffe } from './spiffe.ts';

/**
 * Every provider, the one to prefer first: what somebody put there on purpose, then what a CI system gives the job, then
 * what the workload is, then what the machine is.
 */
export const AMBIENT_PROVIDERS: readonly AmbientProvider[] = [
  gitlab,
  environment,
  fileProvider(),
  githubActions,
  buildkite,
  circleci,
  spiffe,
  googleProvider(),
];
