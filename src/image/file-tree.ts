/**
 * A name in one layer's tar, as the archive says it, normalised: no leading `/` or `./`, no empty or `.` parts, `..` never
 * climbs above the root. The layer's maker controls all of it.
 */
export interface TarEntry {
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'hardlink' | 'other';
  /** Bytes of the body; 0 for all but regular files. */
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  /** As written for a symlink; normalised from the root for a hardlink. */
  readonly linkTarget?: string;
}

/** Everything one layer says about names, in archive order, whiteouts included. Bodies are not in it. */
export interface LayerListing {
  readonly layerIndex: number;
  readonly entries: readonly TarEntry[];
}

/** Takes the body of one regular file as it streams past. */
export interface BodySink {
  /** Returns false when it has seen enough: the rest is skipped. The chunk is only valid during the call: copy what is kept. */
  write(chunk: Uint8Array): boolean;
  /** Called once, after the last write. `complete` is false when the sink asked to stop before the end. */
  end(complete: boolean): void;
}

/** Where the bytes of a regular file are: a layer, and the entry's path in that layer's tar (another name, for a hardlink). */
export interface ContentLocation {
  readonly layerIndex: number;
  readonly path: string;
}

/** A name that is visible when all layers are stacked: image-spec 1.1.1, layer.md. */
export interface FileEntry {
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'other';
  readonly size: number;
  readonly mode: number;
  readonly linkTarget?: string;
  /** The layer that brought this name. */
  readonly layerIndex: number;
  /** For regular files. */
  readonly content?: ContentLocation;
}

/** The visible files of an image. Lookups are by normalised path, without a leading slash. */
export interface FileTree {
  /** The entry of exactly this name; a symlink is returned as such, but symlinked parent directories are followed. */
  lookup(path: string): FileEntry | undefined;
  /** Like lookup, and follows the last component too. Undefined when it dangles or loops. */
  resolve(path: string): FileEntry | undefined;
  /** Every visible entry, in code-unit order of path. */
  entries(): Iterable<FileEntry>;
}
