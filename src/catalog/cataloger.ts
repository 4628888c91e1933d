import type { FileEntry, FileTree, TarEntry } from '../image/file-tree.ts';
import type { Distro } from './distro.ts';
import type { Findings, LayerRef } from './package.ts';

/**
 * Knows one ecosystem, in two halves. The first sees single files of single layers as they stream past and keeps a small
 * record of each; the second turns the records that are visible in the stacked image into packages. Nothing else reads
 * file bodies, so one pass over the layers serves every cataloger, and records can be cached per layer.
 */
export interface Cataloger<Kept = unknown> {
  readonly name: string;
  /** Raised whenever the records or what is made of them change. */
  readonly version: number;
  /** Exact paths that are looked up through symlinks too; `selects` must accept each of them as a regular file. */
  readonly paths?: readonly string[];
  /** Whether a regular file is worth a look: cheap, by name, directory, size or mode. */
  selects(entry: TarEntry): boolean;
  /** The sink for a selected file. A file that is reached through a link comes with the link's path. */
  open(entry: TarEntry): FileSink<Kept>;
  /** Files of different roles are read differently, so a link between them needs a look of its own. One role, when absent. */
  roleOf?(path: string): string;
  catalog(view: CatalogView<Kept>): Findings;
}

/** The extracting half at work on one file. */
export interface FileSink<Kept = unknown> {
  /** Returns false when it has seen enough. The chunk is only valid during the call. */
  write(chunk: Uint8Array): boolean;
  /** Called once. `complete` is false when the sink stopped before the end. Undefined: the file is of no concern. */
  end(complete: boolean): Extraction<Kept> | undefined;
}

/** A record (plain JSON, no path in it: a file can have several names), or why there is none. */
export type Extraction<Kept = unknown> =
  { readonly ok: true; readonly record: Kept } | { readonly ok: false; readonly reason: string };

/** A visible file that the cataloger selected, and what was kept of it. */
export interface VisibleRecord<Kept> {
  readonly path: string;
  readonly record: Kept;
}

export interface CatalogView<Kept> {
  readonly tree: FileTree;
  readonly distro: Distro | undefined;
  /** Every visible selected file that was read, in path order. A file under several names is there for each. */
  readonly records: readonly VisibleRecord<Kept>[];
  /** The record of the file a path leads to, symlinks followed. */
  at(path: string): VisibleRecord<Kept> | undefined;
  /**
   * The lowest layer from which `holds` is true of this path's record without a gap up to the top: a database that every
   * layer writes anew does not make its packages newer than they are.
   */
  broughtBy(path: string, holds: (record: Kept) => boolean): LayerRef;
  /** What was selected, is visible, and could not be read or parsed: already reported, given here to be counted. */
  readonly failures: readonly { readonly path: string; readonly entry: FileEntry; readonly reason: string }[];
}
