import type { Context } from '../base/context.ts';
import { BoltsealError, messageOf } from '../base/errors.ts';

interface Explanation {
  readonly codes: RegExp;
  readonly says: string;
  readonly hint: string;
  /** The same request may well succeed a moment later. */
  readonly transient: boolean;
}

const CHECK_NETWORK = 'Check the network, then try again.';
const EXPLANATIONS: readonly Explanation[] = [
  {
    codes: /^ECONNREFUSED$/,
    says: 'nothing listens there',
    hint: 'Check the host and port of the reference, and that the registry runs.',
    transient: false,
  },
  {
    codes: /^ENOTFOUND$/,
    says: 'there is no such host',
    hint: 'Check the spelling of the registry in the reference, and the DNS.',
    transient: false,
  },
  { codes: /^EAI_AGAIN$/, says: 'the DNS did not answer', hint: CHECK_NETWORK, transient: true },
  {
    codes: /^(UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN)$/,
    says: 'no connection could be made',
    hint: 'Check the network, a firewall, and whether a proxy is needed (HTTPS_PROXY, NO_PROXY).',
    transient: true,
  },
  {
    codes: /^(UND_ERR_(HEADERS|BODY)_TIMEOUT|TimeoutError)$/,
    says: 'it stopped answering',
    hint: 'The registry or the network is too slow right now. Try again later.',
    transient: true,
  },
  {
    codes:
      /^(ECONNRESET|EPIPE|ECONNABORTED|UND_ERR_SOCKET|UND_ERR_CLOSED|UND_ERR_DESTROYED|UND_ERR_INFO|ERR_HTTP2_.*)$/,
    says: 'the connection was cut',
    hint: CHECK_NETWORK,
    transient: true,
  },
  {
    codes: /^(EPROTO|ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG)$/,
    says: 'it does not speak TLS as it should',
    hint: 'If this registry really speaks plain HTTP, say so with --plain-http.',
    transient: false,
  },
  {
    codes:
      /^(CERT_.*|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_.*|ERR_TLS_.*|ERR_SSL_.*|HOSTNAME_MISMATCH)$/,
    says: 'its certificate is not trusted',
    hint: 'Name the CA of the registry with --ca-file, or put it into /etc/containers/certs.d/HOST/ca.crt.',
    transient: false,
  },
  {
    codes: /^HPE_/,
    says: 'what it answers is not HTTP',
    hint: 'Check the port: if it is a TLS port, the registry must not be addressed by plain HTTP.',
    transient: false,
  },
];

/** What a failed request or a broken-off body means. Errors that already say what they are pass through. */
export function transportError(cause: unknown, url: URL, { signal }: Context): BoltsealError {
  if (cause instanceof BoltsealError) return cause;
  if (signal.aborted) {
    return new BoltsealError('INTERRUPTED', `interrupted while talking to ${url.host}`, {
      hint: 'Run it again when you want the answer.',
      cause,
    });
  }
  const found = explain(cause);
  const code = codesOf(cause)[0];
  return new BoltsealError(
    'REGISTRY_UNREACHABLE',
    `${url.host} cannot be reached: ${found?.says ?? messageOf(cause)}${code === undefined ? '' : ` (${code})`}`,
    { hint: found?.hint ?? CHECK_NETWORK, cause },
  );
}

/** True when the same request may succeed if it is made again. */
export function isTransient(error: unknown): boolean {
  return explain(error)?.transient ?? false;
}

function explain(error: unknown): Explanation | undefined {
  const codes = codesOf(error);
  return EXPLANATIONS.find((entry) => codes.some((code) => entry.codes.test(code)));
}

/** The codes of Node, OpenSSL and undici in the chain of causes, outermost first; of several tried addresses, all. */
function codesOf(error: unknown, depth = 0): readonly string[] {
  if (!(error instanceof Error) || depth > 8) return [];
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  const own = error instanceof BoltsealError || code === 'Error' ? [] : [code];
  const tried: readonly unknown[] = error instanceof AggregateError ? error.errors : [];
  return [...own, ...[error.cause, ...tried].flatMap((inner) => codesOf(inner, depth + 1))];
}
