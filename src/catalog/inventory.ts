import type { Distro } from './distro.ts';
import type { LayerRef, Package, PackageType, Relation, Unknown } from './package.ts';

/** What is in an image. Lists are in code-unit order, so the same image always gives the same inventory. */
export interface Inventory {
  readonly distro?: Distro;
  /** Lowest first. */
  readonly layers: readonly LayerRef[];
  /** By purl; no purl is there twice. */
  readonly packages: readonly Package[];
  readonly relations: readonly Relation[];
  readonly unknowns: readonly Unknown[];
  /** The types of package for which `relations` is the whole graph. */
  readonly completeTypes: readonly PackageType[];
  /** Name and version of every cataloger that looked. */
  readonly catalogers: readonly { readonly name: string; readonly version: number }[];
}
