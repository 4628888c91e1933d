import type { Context } from '../../base/context.ts';
import { BoltsealError, isBoltsealError, messageOf } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { asObject, asString, required } from '../../base/shape.ts';
import { requestService } from '../http.ts';
import { outsideText } from '../outside-text.ts';
import { parseSecureUrl } from '../secure-url.ts';
import { redactUrl } from '../service-error.ts';

interface TokenRequest {
  /** Whose token: "GitHub Actions". */
  readonly title: string;
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** A header that only the right server's answers have. */
  readonly requiredHeader?: readonly [name: string, value: string];
  /** What must not appear in a message. */
  readonly secrets?: readonly string[];
  /** The next step when the answer is a refusal or no answer comes. */
  readonly hint: string;
  /** For all of one attempt, connecting included. */
  readonly timeoutMs?: number;
}

/**
 * Asks an endpoint of the surroundings for a token and returns its answer's text. Connection errors, 429 and 5xx are
 * tried again.
 *
 * @throws BoltsealError TOKEN_INVALID, LIMIT_EXCEEDED, INTERRUPTED
 */
export async function requestToken(request: TokenRequest, context: Context): Promise<string> {
  const { title, url, method, headers, body, requiredHeader, secrets = [], hint, timeoutMs } = request;
  try {
    const answer = await requestService(
      {
        code: 'TOKEN_INVALID',
        what: `an identity token of ${title}`,
        url: url.href,
        method,
        headers,
        timeoutMs: timeoutMs ?? LIMITS.tokenTimeoutMs,
        maxBytes: LIMITS.tokenResponseBytes,
        secrets,
        ...(body === undefined ? {} : { body }),
        ...(requiredHeader === undefined ? {} : { requiredHeader }),
      },
      context,
    );
    return answer.toString('utf8').trim();
  } catch (error) {
    if (!isBoltsealError(error, 'TOKEN_INVALID', 'LIMIT_EXCEEDED')) throw error;
    throw new BoltsealError(error.code, outsideText(error.message, secrets), { hint, cause: error.cause });
  }
}

/** As requestToken, for endpoints that answer with JSON: the text at `key`. @throws as requestToken */
export async function requestJsonToken(
  request: TokenRequest & { readonly key: string },
  context: Context,
): Promise<string> {
  const answer = await requestToken(request, context);
  const what = `the answer of ${redactUrl(request.url.href)}`;
  try {
    const object = asObject(parseJson(answer, { what, maxBytes: LIMITS.tokenResponseBytes }), what);
    return required(object, request.key, asString);
  } catch (error) {
    // Without the cause: a parser may quote the answer, and the answer may hold the token.
    const detail = isBoltsealError(error) ? 'it is not the JSON it should be' : messageOf(error);
    throw new BoltsealError('TOKEN_INVALID', `${what} holds no identity token: ${detail}`, { hint: request.hint });
  }
}

/** The endpoint named in the environment. @throws BoltsealError TOKEN_INVALID when it would put a secret on the wire in clear */
export function endpointUrl(text: string, name: string): URL {
  const url = parseSecureUrl(text);
  if (url !== undefined) return url;
  throw new BoltsealError('TOKEN_INVALID', `${name} is not an https URL, and a secret would be sent to it`, {
    hint: `Unset ${name} unless the runner set it; plain http is only used on this machine itself.`,
  });
}
