import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Writable, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { finishDigest, isDigest } from '../oci/digest.ts';
import { decompressors } from '../tar/decompress.ts';
import type { BodySink, TarEntry } from '../tar/entry.ts';
import { FormatError } from '../tar/format-error.ts';
import { TarReader } from '../tar/reader.ts';
import type { StagedFile } from './safe-folder.ts';
import { formatPath, safePath, unsafe, type SafePath } from './safe-path.ts';

/** How oras marks a layer that is a packed folder, and the digest of its tar. */
export const UNPACK_ANNOTATION = 'io.deis.oras.content.unpack';
export const UNPACKED_DIGEST_ANNOTATION = 'io.deis.oras.content.digest';

export interface Unpacked {
  readonly files: readonly (StagedFile & { readonly sizeBytes: number })[];
  readonly folders: readonly SafePath[];
}

interface Packed {
  /** The gzipped tar; fails at its end when it is not what it should be. */
  readonly archive: Readable;
  /** The folder that all entries must be in. */
  readonly title: string;
  /** Where to write the files, under names of our own. */
  readonly staging: string;
  readonly prefix: string;
  /** Of the tar, when it is known. */
  readonly digest?: string;
}

/**
 * Unpacks a folder into a staging folder, flat: no name of the archive touches the disk before it was checked. Links and
 * devices are refused, since a folder that was attached has no use for them that is worth the risk.
 *
 * @throws BoltsealError PATH_UNSAFE, LAYER_INVALID, DIGEST_MISMATCH, LIMIT_EXCEEDED
 */
export async function unpackFolder(packed: Packed, signal: AbortSignal): Promise<Unpacked> {
  const files: (StagedFile & { sizeBytes: number })[] = [];
  const folders: SafePath[] = [];
  const open = new Set<number>();
  const reader = new TarReader((entry) => {
    const path = pathOf(entry, packed.title);
    if (files.length + folders.length >= LIMITS.filesPerArtifact) throw tooMany(packed.title);
    if (entry.type === 'directory') folders.push(path);
    if (entry.type !== 'file') return undefined;
    const staged = join(packed.staging, `${packed.prefix}-${files.length}`);
    files.push({ path, staged, sizeBytes: entry.size });
    return writeBody({ path: staged, mode: entry.mode, open });
  });
  const hash = createHash('sha256');
  const readTar = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      hash.update(chunk);
      done(attempt(() => reader.write(chunk)));
    },
    final(done) {
      done(attempt(() => reader.end()));
    },
  });
  try {
    await pipeline([packed.archive, ...decompressors('gzip'), readTar], { signal });
  } catch (cause) {
    throw cause instanceof FormatError || isZlibError(cause) ? damaged(packed.title, cause) : cause;
  } finally {
    for (const file of open) closeSync(file);
  }
  checkDigest(packed, finishDigest(hash));
  return { files, folders };
}

function pathOf(entry: TarEntry, title: string): SafePath {
  const path = safePath(entry.path);
  const within = safePath(title);
  if (formatPath(path.slice(0, within.length) as unknown as SafePath) !== formatPath(within))
    throw unsafe(`the packed folder ${title} holds ${JSON.stringify(entry.path)}, which is outside it`);
  if (entry.type === 'file' || entry.type === 'directory') return path;
  throw unsafe(
    `the packed folder ${title} holds a ${entry.type} ${formatPath(path)}; only files and folders are unpacked`,
  );
}

interface BodyFile {
  readonly path: string;
  /** Permission bits, as the archive has them. */
  readonly mode: number;
  /** File descriptors to close when the archive breaks off. */
  readonly open: Set<number>;
}

/** Exclusive, so that nothing that is there is written to or followed. */
function writeBody({ path, mode, open }: BodyFile): BodySink {
  const file = openSync(path, 'wx', (mode & 0o755) | 0o600);
  open.add(file);
  return {
    write(chunk) {
      for (let at = 0; at < chunk.length;) at += writeSync(file, chunk, at);
      return true;
    },
    end() {
      open.delete(file);
      closeSync(file);
    },
  };
}

function attempt(work: () => void): Error | null {
  try {
    work();
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && /^(?:Z_|ERR_ZLIB)/.test(String(error.code));
}

function checkDigest({ title, digest }: Packed, found: string): void {
  if (digest === undefined || !isDigest(digest) || !digest.startsWith('sha256:') || digest === found) return;
  throw new BoltsealError('DIGEST_MISMATCH', `the packed folder ${title} should be ${digest} but is ${found}`, {
    hint: 'The artifact was made or changed by a faulty tool. Nothing was written.',
  });
}

function damaged(title: string, cause: Error): BoltsealError {
  return new BoltsealError('LAYER_INVALID', `the packed folder ${title} cannot be unpacked: ${cause.message}`, {
    hint: 'Nothing was written. Pull it without unpacking to look at the archive.',
    cause,
  });
}

function tooMany(title: string): BoltsealError {
  return new BoltsealError(
    'LIMIT_EXCEEDED',
    `the packed folder ${title} holds more than ${LIMITS.filesPerArtifact} files`,
    {
      hint: 'Nothing was written. Pull it without unpacking to keep the archive as it is.',
    },
  );
}
