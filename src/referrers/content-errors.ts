import type { ErrorCode } from '../base/error-codes.ts';

/** Codes that say something of one referrer. All others say that we could not find out, and end the search. */
export const CONTENT_ERRORS: readonly ErrorCode[] = [
  'NOT_FOUND',
  'DIGEST_MISMATCH',
  'SIZE_MISMATCH',
  'LIMIT_EXCEEDED',
  'JSON_INVALID',
  'MANIFEST_INVALID',
  'MEDIA_TYPE_UNSUPPORTED',
];
