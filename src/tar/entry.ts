/**
 * A name in one layer's tar, as the archive says it, normalised: no leading `/` or `./`, no empty or `.` parts, `..` never
 * climbs above the root, which itself is `''`. Bytes that are not UTF-8 are kept apart as U+DC80 to U+DCFF.
 * The layer's maker controls all of it.
 */
export interface TarEntry {
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'hardlink' | 'other';
  /** Bytes of the body; 0 for all but regular files. For a sparse file, its holes are counted. */
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  /** As written for a symlink; normalised from the root for a hardlink. */
  readonly linkTarget?: string;
}

/** Takes the body of one regular file as it streams past. */
export interface BodySink {
  /** Returns false when it has seen enough: the rest is skipped. The chunk is only valid during the call: copy what is kept. */
  write(chunk: Uint8Array): boolean;
  /** Called once, after the last write. `complete` is false when the sink asked to stop before the end. */
  end(complete: boolean): void;
}
