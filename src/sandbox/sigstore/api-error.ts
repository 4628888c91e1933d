import { json, ReplyError } from '../http/message.ts';

/** Codes of google.rpc.Code and the HTTP status that gRPC-gateway gives them: Fulcio and Rekor v2 answer in this form. */
const RPC_CODES = {
  invalidArgument: { code: 3, status: 400 },
  notFound: { code: 5, status: 404 },
  alreadyExists: { code: 6, status: 409 },
  unauthenticated: { code: 16, status: 401 },
} as const;

export function rpcError(code: keyof typeof RPC_CODES, message: string): ReplyError {
  const row = RPC_CODES[code];
  return new ReplyError(json(row.status, { code: row.code, message, details: [] }));
}

/** The form in which Rekor v1 and the timestamp authority answer. */
export function plainError(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): ReplyError {
  return new ReplyError(json(status, { code: status, message }, headers));
}
