import type { Context } from '../../base/context.ts';
import { BoltsealError } from '../../base/errors.ts';
import type { ErrorCode } from '../../base/error-codes.ts';
import { parseJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { asArray, asObject } from '../../base/shape.ts';
import { readBody } from '../http.ts';
import type { HttpResponse } from '../http-message.ts';

/** One entry of distribution-spec 1.1.1, "Error Codes". */
export interface RegistryProblem {
  readonly code: string;
  readonly message: string;
  readonly detail: unknown;
}

/** What the body of a failed answer says of itself; none when it is HTML, plain text, empty or broken off. */
export async function readProblems(response: HttpResponse, context: Context): Promise<readonly RegistryProblem[]> {
  try {
    const bytes = await readBody(response, LIMITS.errorBodyBytes, context);
    const body = asObject(parseJson(bytes, { what: 'error', maxBytes: LIMITS.errorBodyBytes }), 'error');
    return asArray(body['errors'], 'errors').map((entry) => {
      const { code, message, detail } = asObject(entry, 'errors[]');
      return { code: oneLine(code), message: oneLine(message), detail };
    });
  } catch (error) {
    if (context.signal.aborted) throw error;
    return [];
  }
}

interface Failure {
  /** What was being done, with the name of the thing: `reading the manifest of ghcr.io/acme/app:1`. */
  readonly doing: string;
  readonly host: string;
}

/** The error for an answer that is not what was asked for. The body is read here. */
export async function responseError(
  response: HttpResponse,
  failure: Failure,
  context: Context,
): Promise<BoltsealError> {
  return problemError(response.status, await readProblems(response, context), failure);
}

/** The same, for a body that has been read already. */
export function problemError(
  status: number,
  problems: readonly RegistryProblem[],
  { doing, host }: Failure,
): BoltsealError {
  const { code, hint } = MEANINGS.find(({ statuses }) => statuses(status)) ?? OTHER;
  const said = problems.map((problem) => [problem.code, problem.message].filter((part) => part !== '').join(': '));
  const words = said.length === 0 ? '' : `: ${said.join('; ').slice(0, MAX_WORDS)}`;
  return new BoltsealError(code, `${host} answered ${status} while ${doing}${words}`, { hint: hint(host) });
}

interface Meaning {
  readonly statuses: (status: number) => boolean;
  readonly code: ErrorCode;
  readonly hint: (host: string) => string;
}

const MEANINGS: readonly Meaning[] = [
  {
    statuses: (status) => status === 401,
    code: 'REGISTRY_UNAUTHORIZED',
    hint: (host) => `Log in with "boltseal login ${host}" or "docker login ${host}", and check the repository's name.`,
  },
  {
    statuses: (status) => status === 403,
    code: 'REGISTRY_DENIED',
    hint: (host) =>
      `Use an account that may do this ("boltseal login ${host}"), or ask the owner of the repository for the right.`,
  },
  {
    statuses: (status) => status === 404,
    code: 'NOT_FOUND',
    hint: (host) =>
      `Check the name. A private repository can look as if it were not there: then log in with "boltseal login ${host}".`,
  },
  {
    statuses: (status) => status === 429,
    code: 'REGISTRY_RATE_LIMITED',
    hint: (host) => `Wait and try again; being logged in ("boltseal login ${host}") often raises the limit.`,
  },
  {
    statuses: (status) => status >= 500,
    code: 'REGISTRY_ERROR',
    hint: () => 'The registry has trouble of its own. Try again later; nothing was concluded from this answer.',
  },
];
const OTHER: Pick<Meaning, 'code' | 'hint'> = {
  code: 'REGISTRY_ERROR',
  hint: () => 'Run it with --verbose to see the requests. The registry may not support this, or a proxy interferes.',
};

const MAX_WORDS = 500;
const MAX_FIELD = 300;

/** A hostile registry writes these words: one line, no control characters, not long. */
function oneLine(value: unknown): string {
  return typeof value === 'string'
    ? value
        .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
        .trim()
        .slice(0, MAX_FIELD)
    : '';
}
