import { Buffer } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { Context } from '../base/context.ts';
import { LIMITS } from '../base/limits.ts';
import type { BodySink, TarEntry } from '../tar/entry.ts';
import { normaliseName } from '../tar/name.ts';
import type { StoredBody } from '../tar/reader.ts';
import { MAGIC_BYTES } from '../tar/decompress.ts';
import { ArchiveCursor } from './archive-cursor.ts';
import { archiveCompression, notAnArchive, scanArchive } from './archive-scan.ts';
import type { LayoutFile, LayoutFiles } from './layout-files.ts';

/** The members of an image archive. Links between them are followed, as `docker save` makes them for layers that repeat. */
export interface ArchiveFiles extends LayoutFiles {
  readonly paths: ReadonlySet<string>;
  /** The first MAGIC_BYTES of a member, or all it has; undefined when it is not there. */
  head(path: string): Promise<Uint8Array | undefined>;
}

/**
 * Lists an archive in one pass; bodies are read later, where they are. Nothing is unpacked. Of a compressed archive, which
 * cannot be read from the middle, small members are kept in memory and large ones decompressed again when they are asked for.
 *
 * @throws BoltsealError LAYOUT_INVALID, LIMIT_EXCEEDED, FILE_NOT_FOUND, FILE_UNREADABLE
 */
export async function openArchiveFiles(path: string, context: Context): Promise<ArchiveFiles> {
  const compression = await archiveCompression(path);
  const members = new Map<string, Member>();
  const keep = compression === 'none' ? undefined : smallBodies();
  const visit = (entry: TarEntry, body: StoredBody): BodySink | undefined => {
    if (members.size >= MAX_MEMBERS) throw notAnArchive(path, `it has more than ${MAX_MEMBERS} members`);
    const member: Member = { entry, body, kept: undefined, head: undefined };
    if (entry.path !== '') members.set(entry.path, member);
    return entry.type === 'file' ? keep?.(member) : undefined;
  };
  await scanArchive(path, visit, { compression }, context);
  const cursor = compression === 'none' ? undefined : new ArchiveCursor(path, compression);
  return {
    name: path,
    paths: new Set(members.keys()),
    head: (name) => headOf(follow(members, name), (member) => toFile(path, member, cursor)),
    find: (name) => Promise.resolve(toFile(path, follow(members, name), cursor)),
    [Symbol.asyncDispose]: async () => cursor?.[Symbol.asyncDispose](),
  };
}

interface Member {
  readonly entry: TarEntry;
  readonly body: StoredBody;
  /** The body of a small member of a compressed archive. */
  kept: Buffer | undefined;
  /** The first bytes of any member of a compressed archive. */
  head: Buffer | undefined;
}

async function headOf(
  member: Member | undefined,
  toLayoutFile: (member: Member) => LayoutFile | undefined,
): Promise<Uint8Array | undefined> {
  if (member === undefined || member.head !== undefined) return member?.head;
  let head = Buffer.alloc(0);
  for await (const chunk of toLayoutFile(member)?.open() ?? []) {
    head = Buffer.concat([head, chunk as Buffer]).subarray(0, MAGIC_BYTES);
    if (head.length === MAGIC_BYTES) break;
  }
  return head;
}

function toFile(path: string, member: Member | undefined, cursor: ArchiveCursor | undefined): LayoutFile | undefined {
  if (member === undefined) return undefined;
  const { body, kept } = member;
  if (body.isSparse) throw notAnArchive(path, `its member ${member.entry.path} is a sparse file`);
  return {
    size: body.size,
    open: () => {
      if (kept !== undefined || body.size === 0) return Readable.from([kept ?? Buffer.alloc(0)], { objectMode: false });
      if (cursor !== undefined) return cursor.read(body.offset, body.size);
      return createReadStream(path, {
        start: body.offset,
        end: body.offset + body.size - 1,
        highWaterMark: READ_BYTES,
      });
    },
  };
}

/** The regular file a name leads to, through links within the archive. */
function follow(members: ReadonlyMap<string, Member>, name: string): Member | undefined {
  let at = normaliseName(name);
  for (let hops = 0; hops <= LIMITS.symlinkHops; hops += 1) {
    const member = members.get(at);
    const target = member?.entry.linkTarget;
    if (member?.entry.type === 'file') return member;
    if (target === undefined) return undefined;
    const isRelative = member?.entry.type === 'symlink' && !target.startsWith('/');
    at = normaliseName(isRelative ? `${at}/../${target}` : target);
  }
  return undefined;
}

/** Keeps bodies of small members while there is room, and the first bytes of all. */
function smallBodies(): (member: Member) => BodySink {
  let keptBytes = 0;
  return (member) => {
    const { size } = member.entry;
    const isKept = size <= SMALL_BYTES && keptBytes + size <= KEPT_BYTES;
    if (isKept) keptBytes += size;
    const chunks: Buffer[] = [];
    let gathered = 0;
    return {
      write: (chunk) => {
        chunks.push(Buffer.from(isKept ? chunk : chunk.subarray(0, MAGIC_BYTES)));
        gathered += chunk.length;
        return isKept || gathered < MAGIC_BYTES;
      },
      end: () => {
        const body = Buffer.concat(chunks);
        member.head = body.subarray(0, MAGIC_BYTES);
        if (isKept) member.kept = body;
      },
    };
  };
}

const MiB = 1024 * 1024;
const SMALL_BYTES = MiB;
const KEPT_BYTES = 64 * MiB;
const READ_BYTES = 256 * 1024;
/** A layout has three files, and a few for each layer and manifest. */
const MAX_MEMBERS = 100_000;
