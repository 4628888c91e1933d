import { readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { loadPolicies } from '../policy/load.ts';
import type { Policy } from '../policy/policy.ts';
import { readLocalFile } from './read-file.ts';

const POLICY_FILE = /\.(?:ya?ml|json)$/;

/**
 * Reads policy files, and of folders every .yaml, .yml and .json file in them (the schema's own excepted).
 *
 * @throws BoltsealError POLICY_INVALID with every problem, FILE_NOT_FOUND, FILE_UNREADABLE
 */
export async function openPolicies(paths: readonly string[], context: Context): Promise<readonly Policy[]> {
  const files = (await Promise.all(paths.map(policyFiles))).flat();
  const texts = await Promise.all(
    files.map(async (path) => ({
      path,
      text: decode(await readLocalFile(path, 'the policy', LIMITS.policyBytes), path),
    })),
  );
  context.emit({ kind: 'detail', message: `policies: ${files.join(', ')}` });
  return loadPolicies(texts, {
    readKey: (key, policyPath) => readLocalFile(resolve(dirname(policyPath), key), 'the key', LIMITS.policyBytes),
  });
}

async function policyFiles(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) return [path];
  const names = (await readdir(path)).filter((name) => POLICY_FILE.test(name) && !name.endsWith('.schema.json'));
  if (names.length > 0) return names.toSorted().map((name) => join(path, name));
  throw new BoltsealError('FILE_NOT_FOUND', `the folder ${path} holds no policy`, {
    hint: 'Policies are files that end in .yaml, .yml or .json.',
  });
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new BoltsealError('POLICY_INVALID', `${path}:1:1 the policy is not UTF-8 text`, {
      hint: 'Save it as UTF-8; until then nothing it governs is allowed.',
      cause,
    });
  }
}
