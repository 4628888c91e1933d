import { spawn } from 'node:child_process';
import type { Context } from '../../base/context.ts';
import { BoltsealError, messageOf } from '../../base/errors.ts';
import { parseJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { asObject, asString, required } from '../../base/shape.ts';
import type { BasicCredential, Credential } from './credential.ts';

/** Programs that keep secrets, by the docker-credential-helpers protocol: `docker-credential-NAME get|store|erase`. */

/** A server's secret; undefined when the helper has none. @throws BoltsealError CREDENTIALS_INVALID */
export async function askCredentialHelper(
  helper: string,
  serverKey: string,
  context: Context,
): Promise<Credential | undefined> {
  const { exitCode, stdout, said } = await run(helper, { action: 'get', input: serverKey }, context);
  if (exitCode === 0) return readAnswer(stdout, helper);
  if (/credentials not found/i.test(said)) return undefined;
  throw failed(helper, shorten(said) || `exit code ${exitCode}`);
}

/** @throws BoltsealError CREDENTIALS_INVALID */
export async function storeInHelper(
  helper: string,
  { serverKey, username, password }: Omit<BasicCredential, 'kind'> & { readonly serverKey: string },
  context: Context,
): Promise<void> {
  const input = JSON.stringify({ ServerURL: serverKey, Username: username, Secret: password });
  const { exitCode, said } = await run(helper, { action: 'store', input }, context);
  // A helper may quote what it was given.
  if (exitCode !== 0) throw failed(helper, shorten(said.replaceAll(password, '…')) || `exit code ${exitCode}`);
}

/** False when the helper had nothing for this server. @throws BoltsealError CREDENTIALS_INVALID */
export async function eraseFromHelper(helper: string, serverKey: string, context: Context): Promise<boolean> {
  // Most helpers do not say whether there was something to erase.
  if ((await askCredentialHelper(helper, serverKey, context)) === undefined) return false;
  const { exitCode, said } = await run(helper, { action: 'erase', input: serverKey }, context);
  if (exitCode !== 0) throw failed(helper, shorten(said) || `exit code ${exitCode}`);
  return true;
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

interface Question {
  readonly action: 'get' | 'store' | 'erase';
  readonly input: string;
}

async function run(helper: string, question: Question, context: Context): Promise<Ran & { readonly said: string }> {
  if (!/^[A-Za-z0-9][\w.-]*$/.test(helper)) throw failed(helper, 'this is not the name of a helper');
  const ran = await start(`docker-credential-${helper}`, question, context).catch((cause: unknown) => {
    throw failed(helper, messageOf(cause), cause);
  });
  return { ...ran, said: `${ran.stdout} ${ran.stderr}`.trim() };
}

function start(command: string, { action, input }: Question, context: Context): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(LIMITS.credentialHelperTimeoutMs)]);
    const child = spawn(command, [action], { shell: false, env: { ...context.env }, signal, windowsHide: true });
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

function shorten(text: string): string {
  return text.slice(0, 200);
}

function failed(helper: string, why: string, cause?: unknown): BoltsealError {
  return new BoltsealError('CREDENTIALS_INVALID', `the credential helper "${helper}" failed: ${why}`, {
    hint: `Check that docker-credential-${helper} is installed and on the PATH, or remove it from Docker's config.json.`,
    ...(cause === undefined ? {} : { cause }),
  });
}
