import { BoltsealError, isBoltsealError, messageOf, systemCodeOf } from '../base/errors.ts';

/** A failure to read a file, as an error a person can act on. What is already one stays what it is. */
export function readError(cause: unknown, path: string): unknown {
  const code = fileCodeOf(cause);
  if (code === undefined) return cause;
  if (code === 'ENOENT' || code === 'ENOTDIR') return fileNotFound(path, cause);
  return new BoltsealError('FILE_UNREADABLE', `${path} cannot be read: ${messageOf(cause)}`, {
    hint: READ_HINTS[code] ?? 'Check the path, the disk, and your permissions.',
    cause,
  });
}

export function fileNotFound(path: string, cause?: unknown): BoltsealError {
  return new BoltsealError('FILE_NOT_FOUND', `${path} does not exist`, {
    hint: 'Check the path; it is looked up from the folder the command runs in.',
    cause,
  });
}

/** A failure to write a file. What is already an error a person can act on stays what it is. */
export function writeError(cause: unknown, path: string): unknown {
  const code = fileCodeOf(cause);
  if (code === undefined) return cause;
  return new BoltsealError('FILE_UNWRITABLE', `${path} cannot be written: ${messageOf(cause)}`, {
    hint: WRITE_HINTS[code] ?? 'Check the path, the disk, and your permissions.',
    cause,
  });
}

/** The operating system's code; Node's own (ERR_…) are not about the file. */
function fileCodeOf(cause: unknown): string | undefined {
  const code = isBoltsealError(cause) ? undefined : systemCodeOf(cause);
  return code?.startsWith('ERR_') === true ? undefined : code;
}

const READ_HINTS: Readonly<Record<string, string>> = {
  EACCES: 'You may not read it: change its permissions or run as a user who may.',
  EPERM: 'You may not read it: change its permissions or run as a user who may.',
  EISDIR: 'It is a folder; name a file.',
  EMFILE: 'Too many files are open: raise the limit (ulimit -n).',
};

const WRITE_HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full: free some space and run the command again.',
  EDQUOT: 'Your disk quota is used up: free some space and run the command again.',
  EROFS: 'The file system is read-only: name a place that can be written.',
  EACCES: 'You may not write there: change its permissions or name another place.',
  EPERM: 'You may not write there: change its permissions or name another place.',
  ENOENT: 'The folder does not exist: create it first.',
};
