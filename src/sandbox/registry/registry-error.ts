import { isDigest, type Digest } from '../../oci/digest.ts';
import { json, ReplyError, type SandboxReply } from '../http/message.ts';

/** distribution-spec 1.1.1, "Error Codes", and the status each is sent with where no other is named. */
const STATUS = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 400,
  UNSUPPORTED: 415,
  TAG_INVALID: 400,
} as const;

interface ErrorDetails {
  readonly detail?: unknown;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export function registryReply(code: keyof typeof STATUS, message: string, details: ErrorDetails = {}): SandboxReply {
  const { detail = null, status = STATUS[code], headers = {} } = details;
  return json(status, { errors: [{ code, message, detail }] }, headers);
}

export function registryError(code: keyof typeof STATUS, message: string, details: ErrorDetails = {}): ReplyError {
  return new ReplyError(registryReply(code, message, details));
}

/** @throws ReplyError DIGEST_INVALID */
export function requireDigest(text: string | null | undefined): Digest {
  if (text !== null && text !== undefined && isDigest(text)) return text;
  throw registryError('DIGEST_INVALID', 'provided digest is not a sha256 or sha512 digest', { detail: text });
}
