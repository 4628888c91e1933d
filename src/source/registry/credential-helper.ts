import { spawn } from 'node:child_process';
import type { Context } from '../../base/context.ts';
import { BoltsealError, messageOf } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { asObject, asString, required } from '../../base/shape.ts';
import type { Credential } from './credential.ts';

/**
 * Asks `docker-credential-NAME get` for a server's secret (docker-credential-helpers protocol); undefined when it has none.
 *
 * @throws BoltsealError CREDENTIALS_INVALID
 */
export async function askCredentialHelper(
  helper: string,
  serverKey: string,
  context: Context,
): Promise<Credential | undefined> {
  if (!/^[A-Za-z0-9][\w.-]*$/.test(helper)) throw failed(helper, 'this is not the name of a helper');
  const { exitCode, stdout, stderr } = await run(`docker-credential-${helper}`, serverKey, context).catch(
    (cause: unknown) => {
      throw failed(helper, messageOf(cause), cause);
    },
  );
  if (exitCode !== 0) {
    const said = `${stdout} ${stderr}`.trim();
    if (/credentials not found/i.test(said)) return undefined;
    throw failed(helper, said.slice(0, 200) || `exit code ${exitCode}`);
  }
  return readAnswer(stdout, helper);
}

function readAnswer(stdout: string, helper: string): Credential | undefined {
  try {
    const answer = asObject(parseJson(stdout, { what: 'answer', maxBytes: LIMITS.credentialFileBytes }), 'answer');
    const username = required(answer, 'Username', asString);
    const secret = required(answer, 'Secret', asString);
    if (username === '' && secret === '') return undefined;
    if (username === '<token>') return { kind: 'identity-token', token: secret };
    return { kind: 'basic', username, password: secret };
  } catch {
    // No cause: it would quote the secret.
    throw failed(helper, 'its answer is not the JSON it should be');
  }
}

interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, input: string, context: Context): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(LIMITS.credentialHelperTimeoutMs)]);
    const child = spawn(command, ['get'], { shell: false, env: { ...context.env }, signal, windowsHide: true });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        if (output[name].length < LIMITS.errorBodyBytes) output[name] += text;
      });
    }
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, ...output }));
    // A helper that does not read its input is not an error by itself: its exit code says how it went.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

function failed(helper: string, why: string, cause?: unknown): BoltsealError {
  return new BoltsealError('CREDENTIALS_INVALID', `the credential helper "${helper}" failed: ${why}`, {
    hint: `Check that docker-credential-${helper} is installed and on the PATH, or remove it from Docker's config.json.`,
    ...(cause === undefined ? {} : { cause }),
  });
}
