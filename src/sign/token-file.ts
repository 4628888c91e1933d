import { open } from 'node:fs/promises';
import type { Context } from '../base/context.ts';
import { BoltsealError, systemCodeOf } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';

/**
 * The text of a file that holds a token or a secret and nothing else, without white space around it. A pipe will do too.
 *
 * @throws BoltsealError FILE_NOT_FOUND, FILE_UNREADABLE, LIMIT_EXCEEDED, TOKEN_INVALID when it is empty
 */
export async function readSecretFile(path: string, { signal }: Pick<Context, 'signal'>): Promise<string> {
  const text = (await readBounded(path, signal)).toString('utf8').trim();
  if (text !== '') return text;
  throw new BoltsealError('TOKEN_INVALID', `the file ${path} is empty`, {
    hint: 'Check that the step which writes it ran, and ran before this one.',
  });
}

async function readBounded(path: string, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let seenBytes = 0;
  try {
    const file = await open(path);
    for await (const chunk of file.createReadStream({ signal }) as AsyncIterable<Buffer>) {
      seenBytes += chunk.length;
      if (seenBytes > LIMITS.tokenResponseBytes) throw tooLarge(path);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (cause) {
    if (cause instanceof BoltsealError) throw cause;
    throw unreadable(path, cause);
  }
}

function tooLarge(path: string): BoltsealError {
  return new BoltsealError('LIMIT_EXCEEDED', `the file ${path} has more than ${LIMITS.tokenResponseBytes} bytes`, {
    hint: 'Name the file that holds the token or secret and nothing else.',
  });
}

function unreadable(path: string, cause: unknown): BoltsealError {
  const absent = systemCodeOf(cause) === 'ENOENT';
  return new BoltsealError(
    absent ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE',
    `the file ${path} ${absent ? 'does not exist' : `cannot be read (${systemCodeOf(cause) ?? 'unknown reason'})`}`,
    { hint: 'Check the path and its permissions.', cause },
  );
}
