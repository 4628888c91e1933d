import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Context } from '../../base/context.ts';
import { BoltsealError, systemCodeOf } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import { outsideText } from '../outside-text.ts';

interface TokenCommand {
  /** Found in PATH. */
  readonly command: string;
  readonly args: readonly string[];
  /** The next step when it fails. */
  readonly hint: string;
  readonly timeoutMs?: number;
}

/**
 * Runs a CI system's own program, without a shell, and returns what it writes to its standard output.
 *
 * @throws BoltsealError TOKEN_MISSING when the program is not there, TOKEN_INVALID when it fails, INTERRUPTED
 */
export async function runForToken(request: TokenCommand, context: Context): Promise<string> {
  const { command, args, timeoutMs = LIMITS.tokenTimeoutMs } = request;
  try {
    const { stdout } = await promisify(execFile)(command, args, {
      env: context.env,
      signal: context.signal,
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: LIMITS.tokenResponseBytes,
      windowsHide: true,
    });
    return stdout.trim();
  } catch (error) {
    throw explain(error, { ...request, timeoutMs }, context);
  }
}

/** The error of the failed process is not kept as a cause: it holds the output, which may hold the token. */
function explain(error: unknown, request: Required<TokenCommand>, { signal }: Context): BoltsealError {
  const { command, hint, timeoutMs } = request;
  if (signal.aborted)
    return new BoltsealError('INTERRUPTED', `${command} was interrupted`, { hint: 'Nothing was signed. Sign again.' });
  if (systemCodeOf(error) === 'ENOENT')
    return new BoltsealError(
      'TOKEN_MISSING',
      `the program ${command} is not in PATH, so no identity token can be had`,
      {
        hint,
      },
    );
  return new BoltsealError('TOKEN_INVALID', `${command} gave no identity token: ${reasonOf(error, timeoutMs)}`, {
    hint,
  });
}

function reasonOf(error: unknown, timeoutMs: number): string {
  const { code, killed, stderr } = error as { code?: unknown; killed?: boolean; stderr?: unknown };
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return `it wrote more than ${LIMITS.tokenResponseBytes} bytes`;
  if (killed === true) return `it did not end within ${timeoutMs / 1000} s`;
  const words = typeof stderr === 'string' ? outsideText(stderr) : '';
  const ending = typeof code === 'number' ? `exit code ${code}` : (systemCodeOf(error) ?? 'ended by a signal');
  return words === '' ? ending : `${ending}: ${words}`;
}
