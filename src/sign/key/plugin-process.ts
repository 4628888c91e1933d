import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Context } from '../../base/context.ts';
import { BoltsealError, messageOf, systemCodeOf } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';

interface PluginCall {
  /** Name of the program, looked up on the PATH. */
  readonly program: string;
  readonly args: readonly string[];
  readonly stdin: Uint8Array;
}

/**
 * Runs a plugin, without a shell and with our own environment, which holds its secrets, and returns what it wrote to
 * stdout. Its exit code says nothing by the protocol. What it writes to stderr is shown, since it may ask to touch a device.
 *
 * @throws BoltsealError KEY_INVALID when there is no such program, KEY_SERVICE_FAILED, INTERRUPTED
 */
export async function runPlugin(call: PluginCall, context: Context): Promise<Buffer> {
  const timeout = AbortSignal.timeout(LIMITS.keyPluginTimeoutMs);
  const child = spawn(call.program, [...call.args], {
    env: { ...context.env },
    signal: AbortSignal.any([context.signal, timeout]),
    killSignal: 'SIGKILL',
    windowsHide: true,
  });
  try {
    return await converse(child, call, context);
  } catch (cause) {
    child.kill('SIGKILL');
    if (context.signal.aborted)
      throw new BoltsealError('INTERRUPTED', 'signing was interrupted', {
        hint: 'Nothing was signed. Try again.',
        cause,
      });
    if (systemCodeOf(cause) === 'ENOENT') throw missing(call.program);
    const detail = timeout.aborted ? `it did not end within ${LIMITS.keyPluginTimeoutMs / 1000} s` : messageOf(cause);
    throw pluginError(call.program, detail, cause);
  }
}

async function converse(
  child: ChildProcessWithoutNullStreams,
  { program, stdin }: PluginCall,
  context: Context,
): Promise<Buffer> {
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => (code === null ? reject(new Error(`it was ended by ${signal}`)) : resolve()));
  });
  showLines(child, program, context);
  // A plugin need not read the message when it has the digest: the pipe may break, and what it answers decides.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  const [answer] = await Promise.all([readAnswer(child), ended]);
  return answer;
}

async function readAnswer({ stdout }: ChildProcessWithoutNullStreams): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of stdout as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > LIMITS.keyAnswerBytes) throw new Error(`it answered with more than ${LIMITS.keyAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const MAX_SHOWN_LINES = 100;

function showLines({ stderr }: ChildProcessWithoutNullStreams, program: string, context: Context): void {
  let shown = 0;
  createInterface({ input: stderr }).on('line', (line) => {
    shown += 1;
    const text = line.replaceAll(/\p{Cc}/gu, ' ').slice(0, 500);
    if (shown <= MAX_SHOWN_LINES) context.emit({ kind: 'step', message: `${program}: ${text}` });
  });
}

function missing(program: string): BoltsealError {
  const scheme = program.replace(/^sigstore-kms-/, '');
  return new BoltsealError('KEY_INVALID', `nothing here holds ${scheme}:// keys: there is no ${program} on the PATH`, {
    hint: 'Install the plugin, or name a key in a file, in env://VARIABLE, or in a key service that boltseal knows.',
  });
}

export function pluginError(program: string, detail: string, cause?: unknown): BoltsealError {
  return new BoltsealError('KEY_SERVICE_FAILED', `the plugin ${program} did not do its part: ${detail}`, {
    hint: 'Check the key reference and what the plugin needs in its environment; what it said is above.',
    ...(cause === undefined ? {} : { cause }),
  });
}
