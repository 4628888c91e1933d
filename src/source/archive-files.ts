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
import { notAnArchive, scanArchive, type ArchiveInput } from './archive-scan.ts';
import type { LayoutFile, LayoutFiles } from './layout-files.ts';

/** The members of an image archive. Links between them are followed, as `docker save` makes them for layers that repeat. */
export interface ArchiveFiles extends LayoutFiles {
  readonly paths: ReadonlySet<string>;
  /** The first MAGIC_BYTES of a member, or all it has; undefined when it is not there. */
  head(path: string): Promise<Uint8Array | undefined>;
  /** Where the body of a member begins, when reading in this order is much cheaper than in any other. */
  readonly position?: (path: string) => number | undefined;
}

/**
 * Lists an archive in one pass; bodies are read later, where they are. Nothing is unpacked. Of an archive that can only be
 * read from its front, small members are kept in memory and large ones read again when they are asked for.
 *
 * @throws BoltsealError LAYOUT_INVALID, LIMIT_EXCEEDED, FILE_NOT_FOUND, FILE_UNREADABLE, and what the input fails with
 */
export async function openArchiveFiles(input: ArchiveInput, context: Context): Promise<ArchiveFiles> {
  const { name } = input;
  const members = new Map<string, Member>();
  const keep = input.kind === 'seekable' ? undefined : smallBodies();
  const visit = (entry: TarEntry, body: StoredBody): BodySink | undefined => {
    if (members.size >= MAX_MEMBERS) throw notAnArchive(name, `it has more than ${MAX_MEMBERS} members`);
    const member: Member = { entry, body, kept: undefined, head: undefined };
    if (entry.path !== '') members.set(entry.path, member);
    return entry.type === 'file' ? keep?.(member) : undefined;
  };
  await scanArchive(input, visit, {}, context);
  const place: Place = input.kind === 'seekable' ? input : { kind: 'forward', name, cursor: new ArchiveCursor(input) };
  return {
    name,
    paths: new Set(members.keys()),
    head: (path) => headOf(follow(members, path), (member) => toFile(member, place)),
    find: (path) => Promise.resolve(toFile(follow(members, path), place)),
    ...(place.kind === 'seekable' ? {} : { position: (path: string) => follow(members, path)?.body.offset }),
    [Symbol.asyncDispose]: async () => (place.kind === 'forward' ? place.cursor[Symbol.asyncDispose]() : undefined),
  };
}

/** Where bodies are read. */
type Place =
  | Extract<ArchiveInput, { readonly kind: 'seekable' }>
  | { readonly kind: 'forward'; readonly name: string; readonly cursor: ArchiveCursor };

interface Member {
  readonly entry: TarEntry;
  readonly body: StoredBody;
  /** The body of a small member of an archive that is read from its front. */
  kept: Buffer | undefined;
  /** The first bytes of any member of such an archive. */
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

function toFile(member: Member | undefined, place: Place): LayoutFile | undefined {
  if (member === undefined) return undefined;
  const { body, kept } = member;
  if (body.isSparse) throw notAnArchive(place.name, `its member ${member.entry.path} is a sparse file`);
  return {
    size: body.size,
    open: () => {
      if (kept !== undefined || body.size === 0) return Readable.from([kept ?? Buffer.alloc(0)], { objectMode: false });
      if (place.kind === 'forward') return place.cursor.read(body.offset, body.size);
      return createReadStream(place.path, {
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
