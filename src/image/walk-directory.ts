import { constants } from 'node:fs';
import { lstat, open, readdir, readlink, stat, statfs } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import type { Context } from '../base/context.ts';
import { BoltsealError, systemCodeOf } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { decodeName } from '../tar/name.ts';
import type { BodySink, TarEntry } from './file-tree.ts';

/** Takes the body of one file; `fail` comes instead of `end` when it cannot be read. */
export interface FileSinkOrFailure extends BodySink {
  fail(reason: string): void;
}

export interface DirectoryWalk {
  /** As a layer's tar would say it: parents first, in byte order of the names of each folder. */
  readonly entries: readonly TarEntry[];
  /** Names whose kind or content could not be found out, and why. */
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[];
}

/**
 * Lists a file-system root on disk and reads the files that the visitor asks for, one after the other. Links are listed and
 * never followed; devices, sockets and pipes are listed and never opened; folders of the kernel's own file systems (`/proc`,
 * `/sys`) are not entered. What cannot be read is told and does not end the walk.
 *
 * @throws BoltsealError FILE_NOT_FOUND, FILE_UNREADABLE (the root), LIMIT_EXCEEDED, INTERRUPTED
 */
export async function walkDirectory(
  root: string,
  visit: (entry: TarEntry) => FileSinkOrFailure | undefined,
  context: Context,
): Promise<DirectoryWalk> {
  const entries: TarEntry[] = [];
  const unreadable: { readonly path: string; readonly reason: string }[] = [];
  const top = await rootPlace(root);
  // The folders still to be entered, the next one last.
  const waiting: Place[] = [top];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    context.signal.throwIfAborted();
    const listed = await listFolder(folder, context);
    if (typeof listed === 'string') {
      if (folder === top) throw rootUnreadable(root, listed);
      unreadable.push({ path: folder.path, reason: listed });
      continue;
    }
    const below: Place[] = [];
    for (const name of listed) {
      const found = await look(folder, name);
      if (found.kind === 'unreadable') unreadable.push({ path: found.path, reason: found.reason });
      if (found.kind === 'unreadable') continue;
      entries.push(found.entry);
      if (entries.length > LIMITS.entriesPerLayer) throw tooMany(root);
      if (found.entry.type === 'directory') below.push(found.place);
      const sink = found.entry.type === 'file' ? visit(found.entry) : undefined;
      if (sink !== undefined) await readFile(found, sink);
    }
    waiting.push(...below.toReversed());
  }
  return { entries, unreadable };
}

interface Place {
  /** The bytes that name it to the system. */
  readonly disk: Buffer;
  readonly path: string;
  /** Of the file system it is on. */
  readonly device: number;
  /** Another file system is mounted here. */
  readonly isMount: boolean;
  readonly depth: number;
}

async function rootPlace(root: string): Promise<Place> {
  try {
    const { dev } = await stat(root);
    return { disk: Buffer.from(root), path: '', device: dev, isMount: false, depth: 0 };
  } catch (cause) {
    throw rootUnreadable(root, reasonOf(cause));
  }
}

/** The names in a folder in byte order, none when it is not to be entered, or why it cannot be. */
async function listFolder(folder: Place, context: Context): Promise<readonly Buffer[] | string> {
  if (folder.depth > LIMITS.pathComponents) return 'it lies too deep';
  try {
    if (folder.isMount) {
      const { type } = await statfs(folder.disk);
      const kernel = KERNEL_FILE_SYSTEMS.get(type);
      if (kernel !== undefined) {
        context.emit({
          kind: 'step',
          message: `/${folder.path} is a ${kernel} file system of the kernel; not entered`,
        });
        return [];
      }
    }
    return (await readdir(folder.disk, { encoding: 'buffer' })).toSorted((a, b) => Buffer.compare(a, b));
  } catch (cause) {
    return reasonOf(cause);
  }
}

type Found =
  | { readonly kind: 'unreadable'; readonly path: string; readonly reason: string }
  | { readonly kind: 'entry'; readonly entry: TarEntry; readonly place: Place; readonly stats: Stats };

async function look(folder: Place, name: Buffer): Promise<Found> {
  const disk = Buffer.concat([folder.disk, SLASH, name]);
  const text = decodeName(name);
  const path = folder.path === '' ? text : `${folder.path}/${text}`;
  // In a layer such a name would delete another, so it cannot be told as one.
  if (text.startsWith(WHITEOUT)) return { kind: 'unreadable', path, reason: 'its name means a deletion in a layer' };
  try {
    const stats = await lstat(disk);
    const type = typeOf(stats);
    const linkTarget = type === 'symlink' ? decodeName(await readlink(disk, { encoding: 'buffer' })) : undefined;
    const entry: TarEntry = {
      path,
      type,
      size: type === 'file' ? stats.size : 0,
      mode: stats.mode & 0o7777,
      ...(linkTarget === undefined ? {} : { linkTarget }),
    };
    const isMount = stats.dev !== folder.device;
    return { kind: 'entry', entry, stats, place: { disk, path, device: stats.dev, isMount, depth: folder.depth + 1 } };
  } catch (cause) {
    return { kind: 'unreadable', path, reason: reasonOf(cause) };
  }
}

function typeOf(stats: Stats): TarEntry['type'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'symlink' : 'other';
}

/**
 * Reads what was listed and nothing else: a link that was put in the file's place meanwhile, or in that of a folder above it,
 * leads to another file, which is not read.
 */
async function readFile(
  { place, stats, entry }: Extract<Found, { readonly kind: 'entry' }>,
  sink: FileSinkOrFailure,
): Promise<void> {
  try {
    await using file = await open(place.disk, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const opened = await file.stat();
    if (opened.ino !== stats.ino || opened.dev !== stats.dev || !opened.isFile()) throw new Changed();
    const buffer = Buffer.allocUnsafe(Math.min(Math.max(entry.size, 1), READ_BYTES));
    let wantsMore = true;
    for (let left = entry.size; left > 0 && wantsMore;) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, left));
      if (bytesRead === 0) throw new Changed();
      left -= bytesRead;
      wantsMore = sink.write(buffer.subarray(0, bytesRead));
    }
    sink.end(wantsMore);
  } catch (cause) {
    if (!(cause instanceof Changed) && systemCodeOf(cause) === undefined) throw cause;
    sink.fail(reasonOf(cause));
  }
}

class Changed extends Error {}

function reasonOf(cause: unknown): string {
  if (cause instanceof Changed) return 'it was changed while it was read';
  const code = systemCodeOf(cause) ?? 'unknown';
  return `it cannot be read: ${REASONS[code] ?? code}`;
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'it is gone',
  ENOTDIR: 'it is not a folder',
  ELOOP: 'a link took its place',
  EIO: 'the disk reports an error',
};

function rootUnreadable(root: string, reason: string): BoltsealError {
  const gone = reason === `it cannot be read: ${REASONS['ENOENT']}`;
  return new BoltsealError(
    gone ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE',
    `${root} is no folder to look into: ${reason}`,
    {
      hint: 'Name the folder that holds etc, usr and var of the file system: dir:PATH.',
    },
  );
}

function tooMany(root: string): BoltsealError {
  return new BoltsealError('LIMIT_EXCEEDED', `${root} holds more than ${LIMITS.entriesPerLayer} files`, {
    hint: 'Name a folder further down.',
  });
}

const SLASH = Buffer.from('/');
const WHITEOUT = '.wh.';
const READ_BYTES = 1024 * 1024;

/** statfs(2) types of what the kernel makes up as it is read. */
const KERNEL_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x9fa0, 'proc'],
  [0x62656572, 'sysfs'],
  [0x1cd1, 'devpts'],
  [0x64626720, 'debugfs'],
  [0x74726163, 'tracefs'],
  [0x27e0eb, 'cgroup'],
  [0x63677270, 'cgroup2'],
  [0x73636673, 'securityfs'],
  [0xcafe4a11, 'bpf'],
  [0x6165676c, 'pstore'],
  [0x62656570, 'configfs'],
  [0x19800202, 'mqueue'],
  [0x42494e4d, 'binfmt_misc'],
  [0xde5e81e4, 'efivarfs'],
  [0x65735543, 'fusectl'],
]);
