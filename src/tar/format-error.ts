/** Bytes that are not the tar or compressed stream they should be. Callers add where it was, and their own code. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
}
