import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../base/context.ts';
import { systemCodeOf } from '../base/errors.ts';
import type { Digest } from '../oci/digest.ts';
import { formatReference, parseReference, type Reference } from '../oci/reference.ts';
import { archiveFile, notAnArchive, scanArchive } from './archive-scan.ts';
import { fileNotFound, readError } from './file-error.ts';

export interface Recognised {
  readonly reference: Reference;
  /** A sentence that says how a bare path was read; undefined when the text said itself what it is. */
  readonly how: string | undefined;
}

/**
 * Reads an IMAGE argument, and looks on the disk first when it may be a path: a folder with a layout in it, an image archive,
 * or a root file system. `PATH:TAG` and `PATH@DIGEST` name an image in a layout or archive. A plain folder must be written
 * as a path (`./name`), so that a folder that happens to be called `alpine` does not stand in for the image.
 *
 * @throws BoltsealError REFERENCE_INVALID, FILE_NOT_FOUND, FILE_UNREADABLE, LAYOUT_INVALID
 */
export async function recogniseReference(text: string, context: Context): Promise<Recognised> {
  if (PREFIX.test(text)) return { reference: parseReference(text), how: undefined };
  for (const path of pathsIn(text)) {
    const suffix = text.slice(path.length);
    const found = await recognisePath(path, suffix, context);
    if (found !== undefined) return found;
  }
  if (looksLikePath(text)) throw fileNotFound(pathsIn(text).at(-1) ?? text);
  return { reference: parseReference(text), how: undefined };
}

async function recognisePath(path: string, suffix: string, context: Context): Promise<Recognised | undefined> {
  const kind = await kindOfFile(path);
  if (kind === 'missing') return undefined;
  if (kind === 'file') {
    const format = await archiveFormat(path, context);
    const { tag } = readSuffix(suffix);
    const reference: Reference = { kind: 'archive', format, path, ...(tag === undefined ? {} : { tag }) };
    return tell(
      path,
      format === 'oci' ? 'an archive of an OCI image layout' : 'an archive made by docker save',
      reference,
    );
  }
  if ((await kindOfFile(join(path, 'oci-layout'))) === 'file')
    return tell(path, 'a folder that holds an OCI image layout', { kind: 'layout', path, ...readSuffix(suffix) });
  return suffix === '' && looksLikePath(path)
    ? tell(path, 'a folder without an image layout, so it is taken for a root file system', { kind: 'directory', path })
    : undefined;
}

function tell(path: string, what: string, reference: Reference): Recognised {
  return { reference, how: `${path} is ${what}: read as ${formatReference(reference)}` };
}

/** The tag and digest behind a path, which may hold colons itself. */
function readSuffix(suffix: string): { readonly tag?: string; readonly digest?: Digest } {
  const read = parseReference(`oci:.${suffix}`);
  if (read.kind !== 'layout') return {};
  const { tag, digest } = read;
  return { ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

async function kindOfFile(path: string): Promise<'file' | 'folder' | 'missing'> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (cause) {
    if (MISSING.has(systemCodeOf(cause) ?? '')) return 'missing';
    throw readError(cause, path);
  }
}

/**
 * Which kind of archive a file is, by the names in it. What docker save writes since version 25 is both, and the layout then
 * has the manifest that a registry would have.
 */
async function archiveFormat(path: string, context: Context): Promise<'oci' | 'docker'> {
  let format: 'oci' | 'docker' | undefined;
  let isCertain = false;
  const visit = (entry: { readonly path: string }): undefined => {
    const oci = OCI_NAME.test(entry.path);
    if (oci || (format === undefined && entry.path === 'manifest.json')) format = oci ? 'oci' : 'docker';
    isCertain ||= oci;
  };
  await scanArchive(await archiveFile(path), visit, { isDone: () => isCertain }, context);
  if (format !== undefined) return format;
  throw notAnArchive(path, 'it has neither an index.json nor a manifest.json');
}

/** What of the text may be a path, the longest first: all of it, or what stands before a digest or tag. */
function pathsIn(text: string): readonly string[] {
  const withoutDigest = text.replace(/@sha(?:256|512):[0-9a-f]+$/, '');
  const withoutTag = withoutDigest.replace(/(?<=.):[^/:\\]+$/, '');
  return [...new Set([text, withoutDigest, withoutTag])];
}

function looksLikePath(text: string): boolean {
  return /^\.{0,2}[/\\]|^\.{1,2}$|^[A-Za-z]:[/\\]|[/\\]$/.test(text);
}

const PREFIX = /^(?:oci|oci-archive|docker-archive|docker|podman|dir):/;
const OCI_NAME = /^(?:oci-layout|index\.json)$/;
const MISSING: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG']);
