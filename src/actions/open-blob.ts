import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Context } from '../base/context.ts';
import { BoltsealError, messageOf } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { FileDigests } from '../verify/digest-signature.ts';
import { readLocalFile } from './read-file.ts';

/** What a signature is checked against: a file, or only digests of it. */
export type Blob =
  { readonly kind: 'bytes'; readonly bytes: Uint8Array } | { readonly kind: 'digests'; readonly digests: FileDigests };

const HEX_LENGTHS = { sha256: 64, sha384: 96, sha512: 128 } as const;
type HashName = keyof typeof HEX_LENGTHS;

/**
 * What was named on the command line: `sha256:HEX` (or sha384, sha512), or a file. A file that is large is hashed as it is
 * read and not kept.
 *
 * @throws BoltsealError REFERENCE_INVALID, FILE_NOT_FOUND, FILE_UNREADABLE
 */
export async function openBlob(text: string, { signal }: Context): Promise<Blob> {
  const [, name, hex = ''] = /^(sha256|sha384|sha512):(.*)$/s.exec(text) ?? [];
  if (name !== undefined) return { kind: 'digests', digests: { [name]: parseHex(name as HashName, hex) } };
  const found = await stat(text).catch(() => undefined);
  if (found === undefined || found.size <= LIMITS.wholeMessageBytes)
    return { kind: 'bytes', bytes: await readLocalFile(text, 'the file', LIMITS.wholeMessageBytes) };
  return { kind: 'digests', digests: await hashFile(text, signal) };
}

function parseHex(name: HashName, hex: string): Buffer {
  if (/^[0-9a-f]+$/i.test(hex) && hex.length === HEX_LENGTHS[name]) return Buffer.from(hex, 'hex');
  throw new BoltsealError('REFERENCE_INVALID', `"${name}:${hex}" is not a digest`, {
    hint: `Write ${name}: and ${HEX_LENGTHS[name]} hex characters; a file of that name as ./${name}:…`,
  });
}

async function hashFile(path: string, signal: AbortSignal): Promise<FileDigests> {
  const hashes = (Object.keys(HEX_LENGTHS) as HashName[]).map((name) => ({ name, hash: createHash(name) }));
  try {
    for await (const chunk of createReadStream(path, { signal }))
      for (const { hash } of hashes) hash.update(chunk as Buffer);
  } catch (cause) {
    signal.throwIfAborted();
    throw new BoltsealError('FILE_UNREADABLE', `cannot read ${path}: ${messageOf(cause)}`, {
      hint: 'Check that it is a file and that you may read it.',
      cause,
    });
  }
  return Object.fromEntries(hashes.map(({ name, hash }) => [name, hash.digest()]));
}
