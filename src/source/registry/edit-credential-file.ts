import { mkdir, readFile, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Context } from '../../base/context.ts';
import { messageOf, systemCodeOf } from '../../base/errors.ts';
import type { JsonObject } from '../../base/shape.ts';
import { writeFileAtomically } from '../atomic-file.ts';
import { withFileLock } from '../file-lock.ts';
import { writeError } from '../file-error.ts';
import { credentialsInvalid, parseCredentialFile, type CredentialFile } from './credential-file.ts';

/** The file as its readers understand it, and as the JSON that it is. */
export interface EditableFile {
  readonly parsed: CredentialFile;
  readonly json: JsonObject;
}

/**
 * Changes a credential file: what `edit` returns takes its place, undefined leaves it alone. Whatever `edit` does not touch
 * keeps its value, unknown fields and numbers of any length included. The file appears whole, for nobody but its owner to
 * read; a symlink to it stays one. Two logins at a time do not lose each other's entry.
 *
 * @throws BoltsealError CREDENTIALS_INVALID (then nothing was changed), FILE_UNWRITABLE
 */
export async function editCredentialFile(
  path: string,
  edit: (file: EditableFile) => JsonObject | undefined,
  context: Context,
): Promise<void> {
  const target = await realpath(path).catch(() => path);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw writeError(cause, dirname(target));
  });
  const work = async (): Promise<void> => {
    const text = await readText(target);
    const changed = edit({ parsed: parseCredentialFile(Buffer.from(text), target), json: parseExact(text) });
    if (changed === undefined) return;
    const bytes = Buffer.from(`${JSON.stringify(changed, null, indentOf(text))}\n`);
    await writeFileAtomically(target, bytes, { mode: 0o600 }, context);
  };
  await withFileLock(`${target}.lock`, work, context);
}

/** The file at a path, and an empty one where there is none. @throws BoltsealError CREDENTIALS_INVALID */
export async function loadCredentialFile(path: string): Promise<CredentialFile> {
  return parseCredentialFile(Buffer.from(await readText(path)), path);
}

/** An empty file is what some tools leave behind, and as good as none. */
async function readText(path: string): Promise<string> {
  try {
    const text = await readFile(path, 'utf8');
    return text.trim() === '' ? '{}' : text;
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCodeOf(cause) ?? '')) return '{}';
    throw credentialsInvalid(path, messageOf(cause), cause);
  }
}

interface ExactJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}

/** Numbers stay the text they were: a double could not hold each of them. */
function parseExact(text: string): JsonObject {
  const json = JSON as unknown as ExactJson;
  const exact = json.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined ? json.rawJSON(source) : value,
  );
  return exact as JsonObject;
}

/** The indentation the file has; Docker's where it has none. */
function indentOf(text: string): string {
  return /^\s*\{\r?\n([\t ]+)"/.exec(text)?.[1] ?? '\t';
}
