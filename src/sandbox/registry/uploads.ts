import { createHash, randomUUID, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { LIMITS } from '../../base/limits.ts';
import { algorithmOf, finishDigest, type Digest } from '../../oci/digest.ts';
import { registryError } from './registry-error.ts';

/** A blob on its way in, in a file of its own. */
export interface Upload {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
}

export interface Uploads {
  readonly begin: (name: string) => Upload;
  /** @throws ReplyError BLOB_UPLOAD_UNKNOWN */
  readonly find: (name: string, id: string) => Upload;
  /** Appends what arrives. A stream that breaks off leaves what came before it. @throws ReplyError */
  readonly append: (upload: Upload, stream: Readable) => Promise<Upload>;
  /** The digest of what is there. */
  readonly digest: (upload: Upload, expected: Digest) => Promise<Digest>;
  /** Forgets the upload; its file is the caller's, or is removed with `discard`. */
  readonly end: (upload: Upload) => void;
  readonly discard: (upload: Upload) => Promise<void>;
}

interface Session extends Upload {
  sizeBytes: number;
  busy: boolean;
  /** Of all bytes so far; most digests are sha256, and those need not be read again. */
  readonly sha256: Hash;
}

export async function openUploads(directory: string): Promise<Uploads> {
  await mkdir(directory, { recursive: true });
  const sessions = new Map<string, Session>();
  const sessionOf = ({ id, name }: Pick<Upload, 'id' | 'name'>): Session => {
    const session = sessions.get(id);
    if (session?.name === name) return session;
    throw registryError('BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry', { detail: id });
  };
  return {
    begin(name) {
      const id = randomUUID();
      const session = { id, name, path: join(directory, id), sizeBytes: 0, busy: false, sha256: createHash('sha256') };
      sessions.set(id, session);
      return session;
    },
    find: (name, id) => sessionOf({ id, name }),
    append: (upload, stream) => append(sessionOf(upload), stream),
    digest: (upload, expected) => digestOf(sessionOf(upload), expected),
    end: ({ id }) => void sessions.delete(id),
    async discard({ id, path }) {
      sessions.delete(id);
      await rm(path, { force: true });
    },
  };
}

async function append(session: Session, stream: Readable): Promise<Upload> {
  if (session.busy) throw registryError('BLOB_UPLOAD_INVALID', 'another request is writing to this upload');
  session.busy = true;
  try {
    const count = new Transform({
      transform(chunk: Uint8Array, _encoding, done) {
        session.sizeBytes += chunk.length;
        session.sha256.update(chunk);
        const tooLarge = session.sizeBytes > LIMITS.layerBytes;
        done(tooLarge ? registryError('SIZE_INVALID', 'the blob is too large', { status: 413 }) : null, chunk);
      },
    });
    await pipeline(stream, count, createWriteStream(session.path, { flags: 'a' }));
    return session;
  } finally {
    session.busy = false;
  }
}

async function digestOf(session: Session, expected: Digest): Promise<Digest> {
  const algorithm = algorithmOf(expected);
  if (algorithm === 'sha256') return finishDigest(session.sha256.copy());
  const hash = createHash(algorithm);
  await pipeline(createReadStream(session.path), hash);
  return `${algorithm}:${(hash.read() as Buffer).toString('hex')}` as Digest;
}
