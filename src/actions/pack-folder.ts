import { createHash } from 'node:crypto';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Context } from '../base/context.ts';
import { BoltsealError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { writeTar, type TarItem } from '../image/tar-writer.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import type { ArtifactLayer } from '../referrers/artifact.ts';
import { TITLE_ANNOTATION } from '../referrers/pull.ts';
import { UNPACK_ANNOTATION, UNPACKED_DIGEST_ANNOTATION } from '../referrers/unpack-folder.ts';
import { readError } from '../source/file-error.ts';

/**
 * Packs a folder as oras does: a gzipped tar whose entries begin with the folder's name, marked to be unpacked. Owners and
 * times are left out and names are sorted, so that the same content gives the same bytes.
 *
 * @throws BoltsealError USAGE for a link or device in it, LIMIT_EXCEEDED, FILE_UNREADABLE
 */
export async function packFolder(
  { path, title }: { readonly path: string; readonly title: string },
  { signal }: Context,
): Promise<ArtifactLayer> {
  const items = await listFolder(path, title);
  const sizeBytes = items.reduce(
    (sum, { body }) => sum + (body !== undefined && 'file' in body ? body.sizeBytes : 0),
    0,
  );
  if (sizeBytes > LIMITS.packedFolderBytes) {
    throw new BoltsealError(
      'LIMIT_EXCEEDED',
      `${path} holds ${sizeBytes} bytes, more than ${LIMITS.packedFolderBytes}`,
      {
        hint: 'A registry is no place for this as an attachment. Attach less of it, or an archive of its own.',
      },
    );
  }
  const hash = createHash('sha256');
  const pieces: Uint8Array[] = [];
  const hashed = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of writeTar(items)) {
      hash.update(piece);
      yield piece;
    }
  };
  const collect = async (packed: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const piece of packed) pieces.push(piece);
  };
  await pipeline(Readable.from(hashed(), { objectMode: false }), createGzip(), collect, { signal });
  return {
    mediaType: MEDIA_TYPES.ociLayerGzip,
    bytes: Buffer.concat(pieces),
    annotations: {
      [TITLE_ANNOTATION]: title,
      [UNPACK_ANNOTATION]: 'true',
      [UNPACKED_DIGEST_ANNOTATION]: `sha256:${hash.digest('hex')}`,
    },
  };
}

async function listFolder(folder: string, name: string): Promise<readonly TarItem[]> {
  const found: TarItem[] = [{ path: `${name}/`, type: 'directory', mode: 0o755 }];
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw readError(cause, folder);
  });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...(await listFolder(path, `${name}/${entry.name}`)));
    else if (entry.isFile()) found.push(await fileItem(path, `${name}/${entry.name}`));
    else throw notPackable(path);
  }
  return found;
}

async function fileItem(file: string, path: string): Promise<TarItem> {
  const { size, mode } = await lstat(file).catch((cause: unknown) => {
    throw readError(cause, file);
  });
  return { path, type: 'file', mode: (mode & 0o111) === 0 ? 0o644 : 0o755, body: { file, sizeBytes: size } };
}

function notPackable(path: string): BoltsealError {
  return new BoltsealError('USAGE', `${path} is a link or a device, and only files and folders are attached`, {
    hint: 'Replace it by what it points to, or attach the files you mean one by one.',
  });
}
