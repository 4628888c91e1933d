import type { Cataloger } from './cataloger.ts';
import type { Distro } from './distro.ts';
import type { Inventory } from './inventory.ts';
import { byCodeUnit, byKey } from './order.ts';
import type { Evidence, Findings, LayerRef, Package, Relation, Unknown } from './package.ts';

export interface NamedFindings extends Findings {
  readonly cataloger: Cataloger;
}

interface ImageFacts {
  readonly distro: Distro | undefined;
  readonly layers: readonly LayerRef[];
  /** What could not be read outside any cataloger. */
  readonly unread: readonly Unknown[];
}

/**
 * Joins what the catalogers found. A package found in several places is one package with several pieces of evidence. A
 * language package whose files an operating-system package installed is kept and marked with its owner: leaving it out would
 * hide it from whoever looks for the language's own name.
 */
export function mergeFindings(findings: readonly NamedFindings[], { distro, layers, unread }: ImageFacts): Inventory {
  const owners = new Map(findings.flatMap((found) => [...(found.owners ?? [])]));
  const told = findings.flatMap((found) => found.packages);
  const packages = [...Map.groupBy(told.filter(isNameable), ({ purl }) => purl).values()]
    .map((same) => withOwner(mergeSame(same), owners))
    .toSorted(byKey(({ purl }) => purl));
  const known = new Set(packages.map(({ purl }) => purl));
  const incomplete = new Set(
    findings.flatMap((found) => (found.relationsComplete ? [] : found.packages.map(({ type }) => type))),
  );
  const types = [...new Set(packages.map(({ type }) => type))].toSorted(byCodeUnit);
  return {
    ...(distro === undefined ? {} : { distro }),
    layers,
    packages,
    relations: mergeRelations(
      findings.flatMap((found) => found.relations),
      known,
    ),
    unknowns: [
      ...unread,
      ...findings.flatMap((found) => found.unknowns),
      ...told.filter((found) => !isNameable(found)).map(nameless),
    ].toSorted(byKey(unknownKey)),
    completeTypes: types.filter((type) => !incomplete.has(type)),
    catalogers: findings
      .map(({ cataloger: { name, version } }) => ({ name, version }))
      .toSorted(byKey(({ name }) => name)),
  };
}

/** Names and versions come out of images; document formats take so many characters and no more (CycloneDX 1.6: 1024). */
const LONGEST_NAME = 1024;

function isNameable({ name, namespace = '', version = '' }: Package): boolean {
  return name !== '' && Math.max(name.length, namespace.length, version.length) <= LONGEST_NAME;
}

function nameless({ evidence, cataloger, layer, name }: Package): Unknown {
  const reason =
    name === ''
      ? 'a package without a name'
      : `a package whose name or version is longer than ${LONGEST_NAME} characters`;
  return { path: evidence[0]?.path ?? '', layer, cataloger, reason };
}

function mergeSame(same: readonly Package[]): Package {
  const [first, ...others] = same.toSorted(byKey(({ evidence }) => evidence[0]?.path ?? ''));
  if (first === undefined) throw new Error('a group of packages without a package');
  if (others.length === 0) return first;
  const evidence = new Map<string, Evidence>(same.flatMap((each) => each.evidence.map((at) => [at.path, at])));
  return {
    ...first,
    evidence: [...evidence.values()].toSorted(byKey(({ path }) => path)),
    licenses: [...new Set(same.flatMap(({ licenses }) => licenses))].toSorted(byCodeUnit),
    layer: same.map(({ layer }) => layer).reduce((low, layer) => (layer.index < low.index ? layer : low)),
  };
}

/** Owned only when all of its evidence is: a copy that somebody installed beside the distribution's is not the owner's. */
function withOwner(found: Package, owners: ReadonlyMap<string, string>): Package {
  const [owner, ...more] = new Set(found.evidence.map(({ path }) => owners.get(path)));
  return owner === undefined || more.length > 0 || owner === found.purl ? found : { ...found, ownedBy: owner };
}

function mergeRelations(relations: readonly Relation[], known: ReadonlySet<string>): readonly Relation[] {
  const keyOf = ({ from, to }: Relation): string => `${from}\0${to}`;
  const unique = new Map(
    relations
      .filter(({ from, to }) => from !== to && known.has(from) && known.has(to))
      .map((relation) => [keyOf(relation), relation]),
  );
  return [...unique.values()].toSorted(byKey(keyOf));
}

function unknownKey({ path, cataloger, reason }: Unknown): string {
  return `${path}\0${cataloger}\0${reason}`;
}
