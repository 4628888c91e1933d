import type { TarEntry } from '../tar/entry.ts';

export type { BodySink, TarEntry } from '../tar/entry.ts';

/** Everything one layer says about names, in archive order, whiteouts included. Bodies are not in it. */
export interface LayerListing {
  readonly layerIndex: number;
  readonly entries: readonly TarEntry[];
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
