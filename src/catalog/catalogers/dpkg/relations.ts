import type { Package, Relation } from '../../package.ts';
import type { DpkgPackage } from './status.ts';

export interface FoundDeb {
  readonly deb: DpkgPackage;
  readonly package: Package;
}

/**
 * The dependency graph of Depends and Pre-Depends (Debian policy 4.6, 7.1, 7.2). Of alternatives, each one that is installed
 * counts; a name nobody has is looked for among what packages provide. Versions are not compared: dpkg did when it installed.
 */
export function debRelations(found: readonly FoundDeb[]): readonly Relation[] {
  const byName = Map.groupBy(found, ({ deb }) => deb.name);
  const byProvided = Map.groupBy(
    found.flatMap((each) => relationNames(each.deb.provides).map((name) => ({ name, each }))),
    ({ name }) => name,
  );
  const candidates = (name: string): readonly FoundDeb[] =>
    byName.get(name) ?? byProvided.get(name)?.map(({ each }) => each) ?? [];
  return found.flatMap(({ deb, package: { purl: from } }) =>
    relationNames(deb.depends)
      .flatMap((name) => sameArchitecture(candidates(name), deb.architecture))
      .map(({ package: { purl: to } }) => ({ kind: 'dependsOn' as const, from, to })),
  );
}

/** `a (>= 1) [amd64] <!nocheck> | b:any, c` → a, b, c. */
function relationNames(field: string): readonly string[] {
  return field
    .split(/[,|]/)
    .map((clause) => /^\s*([A-Za-z0-9][A-Za-z0-9+.-]*)/.exec(clause)?.[1])
    .filter((name) => name !== undefined);
}

/** With several architectures installed, a package needs its own; only where there is none does another's do. */
function sameArchitecture(candidates: readonly FoundDeb[], architecture: string): readonly FoundDeb[] {
  const own = candidates.filter(({ deb }) => deb.architecture === architecture || deb.architecture === 'all');
  return own.length === 0 ? candidates : own;
}
