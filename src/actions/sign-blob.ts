import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Context } from '../base/context.ts';
import { BoltsealError, messageOf, systemCodeOf } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { finishDigest, type Digest } from '../oci/digest.ts';
import type { LogEntryReference, SignedBundle, SignerIdentity } from '../sign/signer.ts';
import { attestationStatement } from '../sign/statements.ts';
import { openSigner, type SigningOptions } from './open-signer.ts';
import { readLocalFile } from './read-file.ts';
import { readPredicate } from './read-predicate.ts';
import { writeLocalFile } from './write-file.ts';

/** A file, or bytes that came some other way, and what to call them. */
export type Blob = { readonly file: string } | { readonly name: string; readonly bytes: Uint8Array };

export interface BlobOptions {
  readonly signing: SigningOptions;
  /** Where the bundle is written. */
  readonly bundleFile: string;
}

/** A bundle in a file, and what it is about. */
export interface SignedBlob {
  readonly name: string;
  /** Of the content, when a statement names it; a message signature is over the content itself. */
  readonly digest?: Digest;
  readonly bundleFile: string;
  readonly signer: SignerIdentity;
  readonly signedAt: Date;
  readonly logEntries: readonly LogEntryReference[];
}

/**
 * Signs a file as it is, read as a stream: signer → signature → bundle file.
 *
 * @throws BoltsealError FILE_NOT_FOUND, FILE_UNREADABLE, FILE_UNWRITABLE and the codes of signing
 */
export async function signBlob(
  blob: Blob,
  { signing, bundleFile }: BlobOptions,
  context: Context,
): Promise<SignedBlob> {
  const signer = await openSigner(signing, context);
  const bundle = await signer.signMessage(piecesOf(blob), context);
  return write(bundle, { name: nameOf(blob), bundleFile });
}

export interface BlobAttestation extends BlobOptions {
  /** Short name or URI of the predicate type; told from the predicate when absent. */
  readonly type?: string;
  readonly predicateFile: string;
}

/**
 * Signs a statement about a file: predicate → digest of the file → statement → signature → bundle file.
 *
 * @throws BoltsealError USAGE, STATEMENT_INVALID, JSON_INVALID, FILE_NOT_FOUND, FILE_UNREADABLE, FILE_UNWRITABLE and the
 *   codes of signing
 */
export async function attestBlob(blob: Blob, options: BlobAttestation, context: Context): Promise<SignedBlob> {
  const content = await readLocalFile(options.predicateFile, 'the predicate', LIMITS.bundleBytes);
  const predicate = readPredicate(options.type, content, context);
  const hash = createHash('sha256');
  for await (const piece of piecesOf(blob)) hash.update(piece);
  const [name, digest] = [nameOf(blob), finishDigest(hash)];
  const signer = await openSigner(options.signing, context);
  const bundle = await signer.sign(attestationStatement({ name, digest }, predicate), context);
  return write(bundle, { name, digest, bundleFile: options.bundleFile });
}

function nameOf(blob: Blob): string {
  return 'file' in blob ? basename(blob.file) : blob.name;
}

async function* piecesOf(blob: Blob): AsyncIterable<Uint8Array> {
  if ('bytes' in blob) return yield blob.bytes;
  try {
    await using file = await open(blob.file);
    yield* file.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>;
  } catch (cause) {
    const code = systemCodeOf(cause);
    if (code === undefined) throw cause;
    throw new BoltsealError(
      code === 'ENOENT' ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE',
      `cannot read ${blob.file}: ${messageOf(cause)}`,
      { hint: 'Check the path and its permissions; a folder cannot be signed.', cause },
    );
  }
}

async function write(
  { bytes, signer, signedAt, logEntries }: SignedBundle,
  about: Pick<SignedBlob, 'name' | 'digest' | 'bundleFile'>,
): Promise<SignedBlob> {
  await writeLocalFile(about.bundleFile, bytes);
  return { ...about, signer, signedAt, logEntries };
}
