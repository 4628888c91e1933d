import type { ContentLocation, FileEntry, FileTree } from '../image/file-tree.ts';
import type { Cataloger } from './cataloger.ts';

/** A visible name that a cataloger selects, and where the bytes behind it are. */
export interface VisibleFile {
  readonly path: string;
  readonly entry: FileEntry;
  readonly content: ContentLocation;
  /** Whether the bytes' own name in their layer is selected for the same role, so that the first pass saw them. */
  readonly offered: boolean;
}

/** The key under which what was kept of a file is found among its layer's records. */
export function recordKey({ path, content, offered }: VisibleFile): string {
  return offered ? content.path : `${content.path}\0${path}`;
}

/**
 * The visible files each cataloger selects, in path order. A symlink counts as the file it leads to when only its own name
 * is interesting, so nothing hides behind a link; a file that is selected under its own name is not there twice.
 */
export function visibleFiles(
  tree: FileTree,
  catalogers: readonly Cataloger[],
): ReadonlyMap<Cataloger, readonly VisibleFile[]> {
  const found = new Map(catalogers.map((cataloger) => [cataloger, new Map<string, VisibleFile>()]));
  const consider = (cataloger: Cataloger, path: string, target: FileEntry | undefined): void => {
    if (target?.type !== 'file' || target.content === undefined) return;
    if (!selects(cataloger, path, target) || (path !== target.path && selects(cataloger, target.path, target))) return;
    const bytesPath = target.content.path;
    const offered = selects(cataloger, bytesPath, target) && cataloger.roleOf?.(bytesPath) === cataloger.roleOf?.(path);
    found.get(cataloger)?.set(path, { path, entry: target, content: target.content, offered });
  };
  for (const entry of tree.entries()) {
    const target = entry.type === 'symlink' ? tree.resolve(entry.path) : entry;
    for (const cataloger of catalogers) consider(cataloger, entry.path, target);
  }
  for (const cataloger of catalogers)
    for (const path of cataloger.paths ?? []) consider(cataloger, path, tree.resolve(path));
  return new Map([...found].map(([cataloger, files]) => [cataloger, [...files.values()]]));
}

function selects(cataloger: Cataloger, path: string, { size, mode }: FileEntry): boolean {
  return cataloger.selects({ path, type: 'file', size, mode });
}
